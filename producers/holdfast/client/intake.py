"""Items as a producer writes them, read into drafts of jobs: every problem of every item at once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from holdfast.dialect.line import read_line
from pydantic import ValidationError

from holdfast.client.backend import Defaults, Item
from holdfast.client.errors import InvalidJobs, JobProblem
from holdfast.dialect import anthropic, chat, responses
from holdfast.model.errors import InvalidRequest, Unmappable
from holdfast.model.job import Priority
from holdfast.model.request import Request, Role, Text, Turn
from holdfast.model.route import Api, Plan

PlanOf = Callable[[str], Plan]
NEUTRAL = frozenset({"request", "custom_id", "model", "priority", "expires_in", "metadata"})
LETTER = frozenset({"id", "error", "calls", "routes", "created_at", "finished_at"})  # what a drained line has beside
WRITERS = {
    Api.ANTHROPIC: anthropic.write_request,
    Api.OPENAI_CHAT: chat.write_request,
    Api.OPENAI_RESPONSES: responses.write_request,
}


@dataclass(frozen=True, slots=True)
class Draft:
    """One job as it was read, before it has an id. ``expires_in`` in seconds."""

    model: str
    request: Request
    custom_id: str | None
    priority: Priority
    expires_in: float | None
    metadata: Mapping[str, str]


def read_items(items: Sequence[Item], defaults: Defaults, plan: PlanOf | None) -> list[Draft]:
    """Read all items. ``plan`` finds the plan of a model; None where only a server knows the models.

    Returns: One draft per item, same order.
    Raises: InvalidJobs: what is wrong with each item that cannot be accepted.
    """
    drafts, problems = list[Draft](), list[JobProblem]()
    for index, item in enumerate(items):
        try:
            draft = read_item(item, index, defaults)
            if plan is not None:
                check_routes(draft.request, plan(draft.model))
        except InvalidRequest as error:
            problems.append(JobProblem(index, error.where, error.problem, error.hint))
        else:
            drafts.append(draft)
    if problems:
        raise InvalidJobs(tuple(problems))
    return drafts


def read_item(item: Item, index: int, defaults: Defaults) -> Draft:
    """Read one item: a prompt, a Request, or a line as a dict. Raises InvalidRequest."""
    match item:
        case str():
            return draft_of(Request(turns=(Turn(role=Role.USER, parts=(Text(text=item),)),)), {}, defaults)
        case Request():
            return draft_of(item, {}, defaults)
        case Mapping() if "request" in item:
            return draft_of(read_neutral(item), item, defaults)
        case Mapping():
            line = read_line(as_json(item), index + 1, defaults.model)
            return Draft(
                model=line.model,
                request=line.request,
                custom_id=line.custom_id,
                priority=line.priority or defaults.priority or Priority.BATCH,
                expires_in=line.expires_in if line.expires_in is not None else defaults.expires_in,
                metadata=line.metadata,
            )
        case _:
            raise InvalidRequest("job", f"expected a prompt, a dict or a Request, got {type(item).__name__}.")


def as_json(item: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(dict(item))
    except TypeError as error:
        raise InvalidRequest("job", f"cannot be written as JSON: {error}.") from None


def read_neutral(item: Mapping[str, Any]) -> Request:
    """Read the neutral form, ``{"request": …}``, which drained dead letters have too. Raises InvalidRequest."""
    if unknown := sorted(set(item) - NEUTRAL - LETTER):
        raise InvalidRequest(unknown[0], "is no key of a job in the neutral form.", f"Keys are {', '.join(NEUTRAL)}.")
    try:
        return Request.model_validate(item["request"])
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidRequest(".".join(("request", *map(str, first["loc"]))), f"{first['msg']}.") from None


def draft_of(request: Request, item: Mapping[str, Any], defaults: Defaults) -> Draft:
    """Make a draft of a request that was read already, with what stands beside it."""
    model = item.get("model") or defaults.model
    if not isinstance(model, str):
        raise InvalidRequest("model", "is missing.", "Name an alias of the configuration, or provider/model.")
    return Draft(
        model=model,
        request=request,
        custom_id=item.get("custom_id"),
        priority=read_priority(item.get("priority")) or defaults.priority or Priority.BATCH,
        expires_in=item.get("expires_in") or defaults.expires_in,
        metadata=item.get("metadata") or {},
    )


def read_priority(value: object) -> Priority | None:
    try:
        return None if value is None else Priority(str(value))
    except ValueError:
        raise InvalidRequest("priority", f"expected {' or '.join(Priority)}, got {value!r}.") from None


def check_routes(request: Request, plan: Plan) -> None:
    """Refuse a request that no route of its plan can carry. Raises InvalidRequest."""
    problems: list[str] = []
    for route in plan.routes:
        try:
            WRITERS[route.api](request, route.model)
        except Unmappable as error:
            problems.append(f"{route.name}: {error.problem}")
        else:
            return
    raise InvalidRequest("request", f"no route of {plan.model!r} can carry it: {'; '.join(problems)}.")

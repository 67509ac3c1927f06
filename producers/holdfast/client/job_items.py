"""Items of a submit, read into parsed lines: every problem of every item at once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from holdfast.client.errors import InvalidJobs, JobProblem
from holdfast.client.job_templates import JobTemplates, ReadJob, read_whole, shape_of
from holdfast.client.output_room import demand_room
from holdfast.client.row_values import is_missing
from holdfast.client.submit_request import Item, JobDefaults
from holdfast.model.bounds import MOST_TOKENS
from holdfast.model.errors import InvalidRequest, Unmappable
from holdfast.model.job import Need, Priority
from holdfast.model.request import Request
from holdfast.model.route import Api, Plan
from holdfast.model.sentences import end_sentence
from holdfast.model.start_time import LONGEST
from holdfast.model.storable import is_storable, storable
from holdfast.model.written import WrittenRequest
from holdfast.policy.token_estimate import estimate
from holdfast.wire import anthropic, chat, responses
from holdfast.wire.batch_line import ParsedLine, read_job
from holdfast.wire.dead_letter_line import DEAD_LETTER_FIELD
from holdfast.wire.endpoints import place
from holdfast.wire.strictness import allowed, demand_exact
from holdfast.wire.written import has_reading
from holdfast.wire.written_body import Json, parse_line, slices, write_json

MOST_LABELS, MOST_OF_A_NAME, MOST_OF_A_LABEL = 100, 500, 5_000  # of metadata
MOST_OF_AN_ID = 1_000  # characters of a custom_id, or of a user's name
PlanOf = Callable[[str], Plan]
T = TypeVar("T")
WRITTEN = ("body", "params")  # members of a line that are kept as they were written
WRITERS = {
    Api.ANTHROPIC: anthropic.write_request,
    Api.OPENAI_CHAT: chat.write_request,
    Api.OPENAI_RESPONSES: responses.write_request,
}


def read_items(items: Sequence[Item], defaults: JobDefaults, plan: PlanOf | None) -> list[ParsedLine]:
    """Read all items whole. ``plan`` finds the plan of a model; None where only a server knows the models.

    Returns: One line per item, same order.
    Raises: InvalidJobs: what is wrong with each item that cannot be accepted.
    """
    return read_each(items, lambda item: read_checked(item, defaults, plan))


def read_jobs(
    items: Sequence[Item], defaults: JobDefaults, plan: PlanOf | None, templates: JobTemplates
) -> list[ReadJob]:
    """Read all items, those that are like earlier ones by their likeness; else as ``read_items`` does."""

    def read(item: Item) -> ReadJob:
        shaped = shape_of(item)
        if shaped is not None and (known := templates.read(shaped)) is not None:
            return known
        line = read_checked(item, defaults, plan)
        need = need_of(line, plan)
        if shaped is not None:
            templates.learn(shaped, line, need)
        return read_whole(line, need)

    return read_each(items, read)


def read_each(items: Sequence[Item], read: Callable[[Item], T]) -> list[T]:
    """Return ``read`` of each item. Raises InvalidJobs: all items of which that raised InvalidRequest."""
    found, problems = list[T](), list[JobProblem]()
    for index, item in enumerate(items):
        try:
            found.append(read(item))
        except InvalidRequest as error:
            problems.append(JobProblem(index, error.where, error.problem, error.hint))
    if problems:
        raise InvalidJobs(tuple(problems))
    return found


def need_of(line: ParsedLine, plan_of: PlanOf | None) -> Need:
    """Estimate what a job needs, and leave out the routes that it must not take at all."""
    need = estimate(line.request)
    if plan_of is None:
        return need
    plan = plan_of(line.model)
    may = allowed(line.request, plan)
    return need if may == plan.routes else replace(need, avoid={r.name: None for r in plan.routes if r not in may})


def read_checked(
    item: Item, defaults: JobDefaults, plan: PlanOf | None, parsed: Mapping[str, Any] | None = None
) -> ParsedLine:
    """Read one item that can be accepted, as its plan serves it. Raises InvalidRequest.

    ``parsed`` is a written line as Python objects, where that is at hand.
    """
    line = read_line(item, defaults, parsed) if isinstance(item, bytes) else read_item(item, defaults)
    refuse_excess(line)
    refuse_unstorable(line)
    return line if plan is None else on_plan(line, plan(line.model))


def read_item(item: Item, defaults: JobDefaults) -> ParsedLine:
    """Read one item: a prompt, a Request, or a line as a dict or as it was written. Raises InvalidRequest."""
    match item:
        case str():
            return read_line({"prompt": item}, defaults)
        case Request() if defaults.model:
            priority = defaults.priority or Priority.BATCH
            return ParsedLine(None, defaults.model, item, priority, defaults.expires_in, not_before=defaults.not_before)
        case Request():
            raise InvalidRequest("model", "is missing.", "Name an alias of the configuration, or provider/model.")
        case Mapping() | bytes() | msgspec.Raw():
            return read_line(item, defaults)
        case _ if is_missing(item):
            raise InvalidRequest("prompt", "is missing: the value is empty (None, NaN or NA).")
        case _:
            kind = type(item).__name__
            raise InvalidRequest("job", f"expected a prompt, a dict, a Request or a row with named values, got {kind}.")


def read_line(
    item: Json | Mapping[str, Any], defaults: JobDefaults, parsed: Mapping[str, Any] | None = None
) -> ParsedLine:
    """Read one line, and fill in what it does not say. Raises InvalidRequest."""
    item = bytes(item) if isinstance(item, msgspec.Raw) else item
    value = parse_line(item) if parsed is None else parsed
    if isinstance(item, Mapping):
        write_json(
            {key: inner for key, inner in value.items() if key not in WRITTEN}, "job"
        )  # those are when they are kept
    if DEAD_LETTER_FIELD in value:
        item, value = without_letter(item), {key: kept for key, kept in value.items() if key != DEAD_LETTER_FIELD}
    line = read_job(item, defaults.model, value)
    said = value.get("priority") is not None
    return replace(
        line,
        priority=line.priority if said else defaults.priority or Priority.BATCH,
        expires_in=line.expires_in if line.expires_in is not None else defaults.expires_in,
        not_before=line.not_before or defaults.not_before,
    )


def without_letter(item: Json | Mapping[str, Any]) -> Json | Mapping[str, Any]:
    """Leave out what a drained dead letter says of its death."""
    members = item if isinstance(item, Mapping) else slices(item)
    left = {key: value for key, value in members.items() if key != DEAD_LETTER_FIELD}
    return left if isinstance(item, Mapping) else msgspec.json.encode(left)


def refuse_excess(line: ParsedLine) -> None:
    """Refuse a job that holds more of something than a job can need. Raises InvalidRequest."""
    for where, amount, most, unit in sizes(line):
        if amount > most:
            raise InvalidRequest(where, f"expected at most {most:,} {unit}, got {amount:,.0f}.")


def refuse_unstorable(line: ParsedLine) -> None:
    """Refuse a job with a name that one of the databases cannot keep. Raises InvalidRequest."""
    names = {"custom_id": line.custom_id or "", "model": line.model}
    names |= {f"metadata.{label[:40]}": label + value for label, value in line.metadata.items()}
    for where, text in names.items():
        if not is_storable(text):
            raise InvalidRequest(storable(where) or "", "holds a NUL or half a character.", "Send Unicode text.")


def sizes(line: ParsedLine) -> Iterator[tuple[str, float, int, str]]:
    """Yield what is counted of a job: the key, how much there is, how much there may be, of what."""
    request = line.request
    yield "custom_id", len(line.custom_id or ""), MOST_OF_AN_ID, "characters"
    yield "model", len(line.model), 300, "characters"
    yield "expires_in", line.expires_in or 0.0, LONGEST, "seconds"
    yield "metadata", len(line.metadata), MOST_LABELS, "entries"
    for key, value in line.metadata.items():
        yield f"metadata.{key[:40]}", len(value), MOST_OF_A_LABEL, "characters"
        yield f"metadata.{key[:40]}", len(key), MOST_OF_A_NAME, "characters of its name"
    yield "messages", len(request.turns), 10_000, "messages"
    yield "messages", sum(len(turn.parts) for turn in request.turns), 20_000, "parts"
    yield "tools", len(request.tools), 1_000, "tools"
    yield "max_tokens", request.max_tokens or 0, MOST_TOKENS, "tokens"
    yield "stop", len(request.stop), 1_000, "texts"
    yield "user", len(request.user or ""), MOST_OF_AN_ID, "characters"


def on_plan(line: ParsedLine, plan: Plan) -> ParsedLine:
    """Return the line as its plan serves it. Raises InvalidRequest: no route can carry the request."""
    demand_room(line.request.max_tokens or 0, plan)
    placed = demand_route(line.request, plan)
    return replace(line, request=line.request.model_copy(update={"written": placed})) if placed else line


def demand_route(request: Request, plan: Plan) -> WrittenRequest | None:
    """Return a request without a reading as the route that has its endpoint takes it; None: it has one.

    Raises InvalidRequest: no route can carry the request.
    """
    written = request.written
    if written is None or has_reading(written):
        check_routes(request, plan)
        return None
    placed = place(written, plan)
    if placed is None:
        hint = "A provider's `endpoints` setting allows what its server has beyond those that every server has."
        raise InvalidRequest("url", f"no route of {plan.model!r} has {written.path.partition('?')[0]}.", hint)
    return placed


def check_routes(request: Request, plan: Plan) -> None:
    """Refuse a request that no route of its plan can carry. Raises InvalidRequest."""
    problems, ways = list[str](), allowed(request, plan)
    if request.written is not None and any(route.api.wire is request.written.api for route in ways):
        return  # it is sent as it was written
    for route in ways:
        try:
            _, report = WRITERS[route.api.wire](request, route.model)
            demand_exact(request, route.api, report)
        except Unmappable as error:
            problems.append(f"{route.name}: {end_sentence(error.problem)}")
        else:
            return
    raise InvalidRequest("request", f"no route of {plan.model!r} can carry it: {'; '.join(problems)}.")

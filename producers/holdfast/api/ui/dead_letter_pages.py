"""Dead letters: in groups by what they died of, and what is done about them: counted first, then an operation."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeVar

import orjson
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.responses import Response

from holdfast.api.auth.request_context import Operating, Reading, RequestContext
from holdfast.api.native import dead_letters
from holdfast.api.native.filters import Bulk, Replay
from holdfast.api.ui.forms import Form, Page, go_to, page_router, seen_by
from holdfast.api.ui.rendering import HEADERS, render
from holdfast.client.backend import Control
from holdfast.client.bulk_order import BulkOrder
from holdfast.model.errors import HoldfastError, InvalidRequest
from holdfast.model.records import JobFilter, ReplayEdit
from holdfast.model.sentences import end_sentence

B = TypeVar("B", bound=Bulk)
LETTERS = "/ui/dead-letters"
CONTROLS: Mapping[str, Control] = {"pause": "pause", "resume": "resume", "abort": "abort"}
PLAIN: Sequence[Literal["drain", "drop"]] = ("drain", "drop")  # actions that need no more than a choice of letters
SOON = 0.5  # seconds that a page waits for the end of an operation
CHOICES = ("id", "cause", "fault", "lane", "batch", "all")  # fields of a form that say which letters are meant

router = page_router(LETTERS)


@router.get("")
async def show(context: Reading, page: Page) -> Response:
    """Show every group, and the newest operations."""
    found = await run_in_threadpool(context.backend.dead_groups, JobFilter())
    part = await operations_part(context)
    return page.page("dead_letters.html", context, groups=found["groups"], operations=part)


@router.get("/live")
async def live(context: Reading) -> Response:
    """Return how far operations are, for a page that stays open."""
    answer = {"look": 0, "parts": {"operations": await operations_part(context)}}
    return Response(orjson.dumps(answer), media_type="application/json", headers=HEADERS)


async def operations_part(context: RequestContext) -> str:
    found = await run_in_threadpool(context.backend.operations)
    return render("sections/operations.html", {**found, **seen_by(context.caller)})


@router.post("/plan")
async def plan(context: Operating, page: Page, form: Form) -> Response:
    """Say what an action would do: how many letters, over which routes, at what cost. Nothing is changed."""
    action = str(form.get("action", ""))
    try:
        order = order_of(action, form)
        told = await run_in_threadpool(context.backend.plan_bulk, order)
    except HoldfastError as error:
        return page.page("refused.html", context, status=422, what=str(error))
    meant, models = fields_of(form), sorted(context.settings.models)
    return page.page("plan.html", context, action=action, meant=meant, plan=told, models=models, order=order)


@router.post("/act")
async def act(context: Operating, page: Page, form: Form) -> Response:
    """Do what was planned. It goes on by itself; what a drain has taken is fetched when it has ended."""
    try:
        await run_in_threadpool(context.backend.act, order_of(str(form.get("action", "")), form), SOON)
    except HoldfastError as error:
        return page.page("refused.html", context, status=422, what=str(error))
    return go_to(LETTERS)


@router.get("/exports/{operation}")
def export(operation: str, context: Operating) -> Response:
    """Fetch what a drain has taken."""
    return dead_letters.fetch_export(operation, context)


@router.post("/exports/{operation}/delete")
async def delete_export(operation: str, context: Operating) -> Response:
    """Delete what a drain has taken."""
    await run_in_threadpool(context.backend.delete_export, operation)
    return go_to(LETTERS)


@router.post("/operations/{operation}/{control}")
async def control(operation: str, control: str, context: Operating) -> Response:
    """Pause, resume or abort an operation."""
    if control in CONTROLS:
        await run_in_threadpool(context.backend.operation, operation, CONTROLS[control])
    return go_to(LETTERS)


def order_of(action: str, form: FormData) -> BulkOrder:
    """Read a form as an order. Raises InvalidRequest, also where nothing says which letters are meant."""
    if action == "replay":
        asked = bulk_of(form, Replay)
        edit = ReplayEdit(asked.edit.model, asked.edit.max_tokens)
        return BulkOrder("replay", asked.dead(), asked.limit, asked.per_minute, edit)
    for plain in PLAIN:
        if action == plain:
            bulk = bulk_of(form, Bulk)
            return BulkOrder(plain, bulk.dead(), bulk.limit)
    raise InvalidRequest("action", f"expected replay, drain or drop, got {action[:20]!r}.")


def bulk_of(form: FormData, kind: type[B]) -> B:
    """Read the fields of a form that were filled in. Raises InvalidRequest."""
    given: dict[str, object] = {**fields_of(form), "dry_run": False}
    if kind is Replay:
        edit = {"model": form.get("to_model"), **numbers_of(form, "max_tokens")}
        given |= {"edit": {name: value for name, value in edit.items() if value}, **numbers_of(form, "per_minute")}
    given |= numbers_of(form, "limit")
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        raise InvalidRequest(
            ".".join(map(str, first["loc"])) or "the form",
            f"{end_sentence(first['msg'].removeprefix('Value error, '))}.",
        ) from None


def numbers_of(form: FormData, *names: str) -> dict[str, object]:
    """Read the numbers of a form that were filled in, as JSON has them; text that is none stays, and is refused."""
    found: dict[str, object] = {}
    for name in (name for name in names if form.get(name)):
        text = str(form[name])
        try:
            found[name] = orjson.loads(text)
        except orjson.JSONDecodeError:
            found[name] = text
    return found


def fields_of(form: FormData) -> dict[str, object]:
    """Say which letters a form means."""
    found: dict[str, object] = {name: form[name] for name in CHOICES if form.get(name)}
    truths = {"all": found["all"] == "true"} if "all" in found else {}
    return found | truths | ({"id": [found["id"]]} if "id" in found else {})

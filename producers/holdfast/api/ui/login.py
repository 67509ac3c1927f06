"""Logging in with an API key, once, for a cookie; and what every page needs: its style, its script, its icon."""

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, Response

from holdfast.api.app_state import AppState, InjectedAppState
from holdfast.api.auth.audit_log import record_refusal
from holdfast.api.auth.middleware import refresh_keys
from holdfast.api.auth.session import COOKIE, new_session
from holdfast.api.page_paths import LOGIN, UI
from holdfast.api.ui.forms import Form, Page, PageSession, go_to, page_router, seen_by
from holdfast.api.ui.rendering import HEADERS, HERE
from holdfast.model.access import ApiCaller, read_key
from holdfast.model.errors import Unauthorized

STATIC = HERE / "static"
REFUSED = 401

router = page_router()


@router.get(LOGIN)
async def show(page: Page, app_state: InjectedAppState) -> Response:
    """Ask for a key; where none was ever made, there is nothing to ask for."""
    if app_state.key_cache.has_keys() is False:
        return page.keep(go_to(UI))
    return page.page("login.html", problem=None)


@router.post(LOGIN)
async def log_in(request: Request, page: Page, form: Form, app_state: InjectedAppState) -> Response:
    """Take a key and give a session for it."""
    text = str(form.get("key", "")).strip()
    try:
        caller = await known_caller(app_state, text)
    except Unauthorized as error:
        denial = await record_refusal(app_state, request.scope, error.why)
        problem = "Too many wrong keys came from here. Wait a minute." if denial.wait else f"Not let in: {error.why}."
        return page.page("login.html", status=REFUSED, problem=problem)
    found = new_session(caller.name.removeprefix("key:"))
    return PageSession(request, found, fresh=True).keep(go_to(start_of(caller)))


def start_of(caller: ApiCaller) -> str:
    """Name the page that a caller begins on: the fleet, or one tenant's jobs."""
    return UI if seen_by(caller)["sees_fleet"] else "/ui/jobs"


async def known_caller(app_state: AppState, text: str) -> ApiCaller:
    """Say whose key this is. Raises Unauthorized, StorageUnavailable."""
    if not app_state.key_cache.is_fresh():
        await refresh_keys(app_state)
    if read_key(text) is None:
        raise Unauthorized("that is no API key; one begins with hf_ and was shown by `holdfast key create`")
    if app_state.key_cache.may_be_new(text):
        await refresh_keys(app_state, force=True)
    caller = app_state.key_cache.caller(text)
    if app_state.key_cache.use_is_due(caller):
        await run_in_threadpool(app_state.key_cache.record_use, caller)
    return caller


@router.post("/ui/logout")
async def log_out() -> Response:
    """Forget the session in this browser."""
    response = go_to(LOGIN)
    response.delete_cookie(COOKIE, path="/ui")
    return response


@router.get("/ui/style.css")
def style() -> Response:
    return static("style.css")


@router.get("/ui/script.js")
def script() -> Response:
    return static("script.js")


@router.get("/ui/icon.svg")
def icon() -> Response:
    return static("icon.svg")


def static(name: str) -> Response:
    """Answer with a file of the wheel, which browsers ask about again after an hour."""
    return FileResponse(STATIC / name, headers={**HEADERS, "cache-control": "public, max-age=3600"})

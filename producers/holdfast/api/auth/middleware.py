"""Authentication: where keys were ever made, or others than this machine can reach us, every request shows one.

Nothing here means "allow" by accident: keys that cannot be read, and errors of our own, are a 503.
"""

import logging

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from holdfast.api.app_state import AppState
from holdfast.api.auth.audit_log import record_refusal
from holdfast.api.auth.failed_auth import peer_of
from holdfast.api.page_paths import LOGIN, is_page
from holdfast.api.problems import UNAVAILABLE, of_error, problem
from holdfast.api.request_ids import request_id
from holdfast.client.operator import operator_name
from holdfast.model.access import ApiCaller, KeyScope
from holdfast.model.errors import HoldfastError, StorageUnavailable, Unauthorized
from holdfast.model.loopback import is_loopback

# For probes, which have no key, for who logs in, and what the API is like: nothing but a state, and what every wheel
# holds.
PUBLIC_PATHS = frozenset({"/livez", "/readyz", "/docs", "/openapi.json"}) | {
    LOGIN,
    "/ui/logout",
    "/ui/style.css",
    "/ui/script.js",
    "/ui/icon.svg",
}
# A program of this machine, where no key was ever made.
LOCAL_CALLER = ApiCaller("api", None, frozenset({KeyScope.ADMIN}))
CHALLENGE = 'Bearer realm="holdfast"'
TOO_MANY = 429

log = logging.getLogger(__name__)


class AuthMiddleware:
    """Puts the caller into the request's state, or answers why nobody comes in."""

    def __init__(self, app: ASGIApp, app_state: AppState) -> None:
        self._app, self._app_state = app, app_state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in PUBLIC_PATHS:
            answer = await self._refusal(scope)
            if answer is not None:
                await answer(scope, receive, send)
                return
        elif scope["type"] == "websocket":  # there are none yet, and none that nobody looked at
            await send({"type": "websocket.close", "code": 1008})
            return
        await self._app(scope, receive, send)

    async def _refusal(self, scope: Scope) -> Response | None:
        try:
            caller = await authenticate(self._app_state, scope)
        except Unauthorized as error:
            if shows_nothing(scope):
                return RedirectResponse(LOGIN, 303) if scope["method"] == "GET" else of_error(scope, error)
            return await self._denied(scope, error)
        except HoldfastError as error:
            return of_error(scope, error)
        except Exception:
            log.exception("request %s: who calls cannot be told", request_id(scope))
            return problem(scope, UNAVAILABLE, "internal", "who calls cannot be told; nobody is let in meanwhile.")
        scope.setdefault("state", {})["caller"] = caller
        return None

    async def _denied(self, scope: Scope, error: Unauthorized) -> Response:
        denial = await record_refusal(self._app_state, scope, error.why)
        if denial.wait is not None:
            detail = f"too many requests without a good key came from {peer_of(scope)}. A good key is let in any time."
            answer = problem(scope, TOO_MANY, "too_many_denials", detail)
            answer.headers["retry-after"] = str(int(denial.wait) + 1)
            return answer
        answer = of_error(scope, error)
        answer.headers["www-authenticate"] = CHALLENGE
        return answer


def shows_nothing(scope: Scope) -> bool:
    """Tell whether a page of the dashboard is asked for by somebody who has not logged in, or not lately."""
    headers = Headers(scope=scope)
    return is_page(scope["path"]) and not (headers.get("authorization") or headers.get("x-api-key"))


async def authenticate(app_state: AppState, scope: Scope) -> ApiCaller:
    """Say who makes a request; on pages of the dashboard a session will do. Raises Unauthorized, StorageUnavailable."""
    if is_operators(app_state, scope):
        return ApiCaller(operator_name(), None, frozenset({KeyScope.ADMIN}))
    headers, path = Headers(scope=scope), scope["path"]
    if not app_state.key_cache.is_fresh():
        await refresh_keys(app_state)
    if is_loopback(app_state.settings.server.host) and app_state.key_cache.has_keys() is False:
        return LOCAL_CALLER
    if is_page(path) and (session := await run_in_threadpool(app_state.sessions.read, headers)) is not None:
        return app_state.key_cache.owner(session.key)
    shown = presented_key(headers)
    if app_state.key_cache.may_be_new(shown):
        await refresh_keys(app_state, force=True)
    caller = app_state.key_cache.caller(shown)
    if app_state.key_cache.use_is_due(caller):
        await run_in_threadpool(app_state.key_cache.record_use, caller)
    return caller


def is_operators(app_state: AppState, scope: Scope) -> bool:
    """Tell whether a request came through the pool's socket, which nobody but this user can reach."""
    server = scope.get("server")
    return app_state.pool_socket is not None and server is not None and server[0] == str(app_state.pool_socket)


async def is_known(app_state: AppState, scope: Scope) -> bool:
    """Tell whether a request to a public path comes from somebody who would be let in elsewhere."""
    try:
        await authenticate(app_state, scope)
    except HoldfastError:
        return False
    return True


async def refresh_keys(app_state: AppState, *, force: bool = False) -> None:
    """Read the keys anew. A process that knew of none an instant ago stays as it was while SQL is away."""
    try:
        if force:
            await run_in_threadpool(app_state.key_cache.refresh, force=True)
        else:
            await app_state.key_refresh.wait()
    except StorageUnavailable:
        if app_state.key_cache.has_keys() is not False or not is_loopback(app_state.settings.server.host):
            raise


def presented_key(headers: Headers) -> str:
    """Find the key in a request: SDKs differ in where they put it. Raises Unauthorized."""
    kind, _, bearer = headers.get("authorization", "").strip().partition(" ")
    shown = {bearer.strip()} if kind.lower() == "bearer" else set[str]()
    shown |= {value.strip() for value in headers.getlist("x-api-key")}
    if len(shown) > 1:
        raise Unauthorized("the request shows two different API keys")
    if not shown:
        raise Unauthorized("this server wants an API key, and the request shows none")
    return shown.pop()

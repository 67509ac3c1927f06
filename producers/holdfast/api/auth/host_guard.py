"""Refuse requests by host and origin: without keys only this machine's are let in, and never another site's page.

Without keys a request has to name a loopback host (so no page can reach us by rebinding its own name). With or
without, one that a browser makes for another site's page is refused, unless `server.allowed_origins` names it.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from holdfast.api.app_state import AppState
from holdfast.api.auth.audit_log import record_refusal
from holdfast.api.problems import problem
from holdfast.config import Settings
from holdfast.model.errors import ConfigError, StorageUnavailable
from holdfast.model.loopback import is_loopback
from holdfast.store import Store
from holdfast.store.api_keys import read_keys

BROWSERS_OWN = frozenset({"same-origin", "none"})


def check_binding(settings: Settings) -> None:
    """Refuse to listen where strangers are while nobody has an API key. Raises ConfigError.

    A database that does not answer is no reason to stay away: until it does, every request is refused.
    """
    host = settings.server.host
    if is_loopback(host) or any_key(settings) is not False:
        return
    problem = f"server.host: expected a loopback address such as 127.0.0.1, got {host!r}"
    why = "there is no API key yet, so whoever reaches the port could read every prompt and spend your money"
    fix = 'Make one with `holdfast key create`, or set server.host = "127.0.0.1"'
    raise ConfigError((f"{problem}: {why}. {fix}.",))


def any_key(settings: Settings) -> bool | None:
    """Tell whether a key is good now; None: the database does not say."""
    store = Store(settings.storage.database_url, settings.runtime)
    try:
        store.ensure()
        keys, now = store.read(read_keys)
    except StorageUnavailable:
        return None
    finally:
        store.close()
    return any(key.usable(now) for key in keys)


class HostGuardMiddleware:
    def __init__(self, app: ASGIApp, app_state: AppState) -> None:
        self._app, self._app_state = app, app_state
        self._loopback = is_loopback(app_state.settings.server.host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        named = self._loopback and not self._app_state.key_cache.has_keys()
        allowed = self._app_state.settings.server.allowed_origins
        if scope["type"] == "http" and (why := refusal(Headers(scope=scope), allowed, loopback_only=named)):
            await record_refusal(self._app_state, scope, why)
            await problem(scope, 403, "forbidden", why)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def refusal(headers: Headers, allowed: Collection[str] = (), *, loopback_only: bool) -> str | None:
    """Say why a request with these headers is refused; None: it is not. Pages of ``allowed`` origins may make some."""
    host = host_of(f"//{headers.get('host', '')}")
    if loopback_only and not is_loopback(host):
        return f"the Host header names {host[:100]!r}; without API keys this server answers to loopback names only."
    origin = headers.get("origin")
    if origin in allowed:
        return None
    if headers.get("sec-fetch-site", "none") not in BROWSERS_OWN:
        return "a page of another site made this request."
    if origin is not None and origin.partition("://")[2] != headers.get("host"):
        return f"a page of {origin[:100]} made this request."
    return None


def host_of(address: str) -> str:
    """Read the host of an address, "" where there is none to be read."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""

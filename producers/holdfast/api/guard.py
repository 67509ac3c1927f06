"""Who may speak to a server that has no keys yet: programs on its own machine, and nobody through their browsers.

A request has to name a loopback host (so no page can reach us by rebinding its own name), and one that a browser
makes for another site's page is refused.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from holdfast.api.problems import problem
from holdfast.model.errors import ConfigError

BROWSERS_OWN = frozenset({"same-origin", "none"})


def is_loopback(host: str) -> bool:
    """Tell whether ``host`` names this machine only.

    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "example.org")]
    [True, True, True, False, False]
    """
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def check_binding(host: str) -> None:
    """Refuse to listen where strangers are. Raises ConfigError."""
    if not is_loopback(host):
        problem = f"server.host: expected a loopback address such as 127.0.0.1, got {host!r}"
        why = "there are no API keys yet, so whoever reaches the port could read every prompt and spend your money"
        fix = 'Set server.host = "127.0.0.1" and let an SSH tunnel or a proxy with a login in front of it'
        raise ConfigError((f"{problem}: {why}. {fix}.",))


class Guard:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (why := refusal(Headers(scope=scope))):
            await problem(scope, 403, "forbidden", why)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def refusal(headers: Headers) -> str | None:
    """Say why a request with these headers is refused; None: it is not."""
    host = urlsplit(f"//{headers.get('host', '')}").hostname or ""
    if not is_loopback(host):
        return f"the Host header names {host!r}; without API keys this server answers to loopback names only."
    if headers.get("sec-fetch-site", "none") not in BROWSERS_OWN:
        return "a page of another site made this request."
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host"):
        return f"a page of {origin} made this request."
    return None

"""Headers that every answer has: nobody keeps it, guesses what it is, frames it or sends its address on.

There is no CORS header anywhere, so no page of another site can read an answer.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SAFE = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
}
NOTHING = "default-src 'none'; frame-ancestors 'none'"
PAGES = ("/docs", "/redoc")  # FastAPI's own, with scripts from elsewhere


class SecurityHeadersMiddleware:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_safe(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SAFE.items():
                    headers.setdefault(name, value)
                if not scope["path"].startswith(PAGES):
                    headers.setdefault("content-security-policy", NOTHING)
            await send(message)

        await self._app(scope, receive, send_safe if scope["type"] == "http" else send)

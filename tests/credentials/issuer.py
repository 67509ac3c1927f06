"""A token issuer on loopback, for tests: it counts, it can be out, and what it gave can be asked for."""

import ssl
from base64 import b64decode
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web


@dataclass
class SimIssuer:
    """Gives ``token-1``, ``token-2`` … for ``secret``. ``out``: the status it answers instead.

    ``moved``: the address to which it sends whoever asks. ``tls``: it speaks TLS. ``error``: what it says is wrong.
    """

    secret: str = "client-secret"
    life: float | None = 60.0
    out: int | None = None
    port: int = 0
    asked: list[dict[str, Any]] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    prefix: str = "token"
    moved: str | None = None
    tls: ssl.SSLContext | None = None
    error: Any = "server_error"

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}/token"

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/token", self._answer)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self.tls)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        is_json = request.content_type == "application/json"
        body = await request.json() if is_json else dict(await request.post())
        self.asked.append({"body": body, "login": request.headers.get("authorization", "")})
        if self.moved is not None:
            return web.Response(status=307, headers={"location": self.moved})
        if self.out is not None:
            return web.json_response({"error": self.error, "error_description": str(body)}, status=self.out)
        if not self._knows(body, request.headers.get("authorization", "")):
            return web.json_response({"error": "invalid_client", "error_description": str(body)}, status=401)
        self.given.append(f"{self.prefix}-{len(self.given) + 1}")
        life = {} if self.life is None else {"expires_in": self.life}
        return web.json_response({"access_token": self.given[-1], "token_type": "Bearer", **life})

    def _knows(self, body: dict[str, Any], login: str) -> bool:
        kind, _, value = login.partition(" ")
        if kind == "Basic":
            return b64decode(value).decode().partition(":")[2] == self.secret
        return self.secret in (value, *body.values())

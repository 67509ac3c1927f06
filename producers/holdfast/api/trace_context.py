"""Takes the span of a caller from its ``traceparent`` header, so that what it submits stands below that span."""

from opentelemetry.context import attach, detach
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from holdfast.telemetry.spans import TRACEPARENT, context_of


class TraceContextMiddleware:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        header = Headers(scope=scope).get(TRACEPARENT) if scope["type"] == "http" else None
        if header is None:
            await self._app(scope, receive, send)
            return
        token = attach(context_of(header))
        try:
            await self._app(scope, receive, send)
        finally:
            detach(token)

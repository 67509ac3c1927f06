"""The application: parts put together, and what they share for its lifetime."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.middleware.cors import CORSMiddleware

from holdfast.api.anthropic import errors as anthropic_errors
from holdfast.api.app_state import AppState
from holdfast.api.auth.host_guard import HostGuardMiddleware
from holdfast.api.auth.middleware import AuthMiddleware
from holdfast.api.body_limits import BodyLimitMiddleware
from holdfast.api.compatible.client_api import ClientApi, ErrorShapes
from holdfast.api.endpoints import all_endpoints
from holdfast.api.head_requests import HeadRequestMiddleware
from holdfast.api.headers import SecurityHeadersMiddleware
from holdfast.api.native.job_requests import names_of, strict_names_of
from holdfast.api.openai import errors as openai_errors
from holdfast.api.openapi import describe
from holdfast.api.problems import answer_problems
from holdfast.api.request_ids import RequestIdMiddleware
from holdfast.api.ui.errors import write_error_page
from holdfast.config import Settings
from holdfast.telemetry.tracing import is_tracing

ERROR_WRITERS = {
    ClientApi.OPENAI: openai_errors.write_error,
    ClientApi.ANTHROPIC: anthropic_errors.write_error,
}
# What programs of allowed origins may send and read. Keys are headers of theirs: no cookie travels.
CORS: dict[str, Any] = {
    "allow_methods": ("GET", "POST", "PUT", "DELETE"),
    "allow_headers": ("*",),
    "expose_headers": ("Location", "ETag", "Preference-Applied", "Retry-After", "X-Request-ID"),
    "max_age": 600,
}


def create_app(settings: Settings, pool_socket: Path | None = None) -> FastAPI:
    """Make the application. Nothing is opened before it starts, and it starts with SQL and Redis down too.

    Requests that come through ``pool_socket`` are this user's, who operates the installation.
    """
    app_state = AppState(settings, pool_socket)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        cleaning = asyncio.create_task(app_state.repeated_calls.clean_up())
        importing = asyncio.create_task(app_state.batch_importer.run())
        async with app_state.dashboard.kept():
            yield
        cleaning.cancel()
        app_state.batch_importer.stop()
        await importing
        await app_state.repeated_calls.close()
        await app_state.token_counter.close()
        await app_state.watch.close()
        await app_state.ends.close()
        await app_state.events.close()
        await run_in_threadpool(app_state.installation.close)

    app = FastAPI(
        title="Holdfast",
        version=version("holdfast"),
        summary="Inference jobs that survive their providers.",
        lifespan=lifespan,
        openapi_url=None,  # ``documentation`` shows it, with the names of models to those who show a key
        docs_url=None,  # its page needs scripts of another host
        redoc_url=None,
    )
    describe(app, names_of(settings), strict_names_of(settings))
    app.state.holdfast = app_state
    answer_problems(app)
    app.state.error_writer = ErrorShapes(ERROR_WRITERS, write_error_page)
    app.router.routes.extend(all_endpoints())
    add_middlewares(app, app_state)
    return app


def add_middlewares(app: FastAPI, app_state: AppState) -> None:
    """Wrap the application, the innermost first."""
    settings = app_state.installation.settings
    app.add_middleware(BodyLimitMiddleware)
    app.add_middleware(AuthMiddleware, app_state=app_state)
    app.add_middleware(HostGuardMiddleware, app_state=app_state)
    if settings.server.allowed_origins:
        app.add_middleware(CORSMiddleware, allow_origins=settings.server.allowed_origins, **CORS)
    app.add_middleware(HeadRequestMiddleware)
    app.add_middleware(SecurityHeadersMiddleware)
    if is_tracing():
        from holdfast.api.trace_context import TraceContextMiddleware  # noqa: PLC0415 - imports OpenTelemetry

        app.add_middleware(TraceContextMiddleware)
    app.add_middleware(RequestIdMiddleware)  # outermost: every answer has one

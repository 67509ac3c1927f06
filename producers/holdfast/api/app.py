"""The application: parts put together, and what they share for its lifetime."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from holdfast.api import batches, dead_letters, jobs, lanes, operating, probes, routes
from holdfast.api.caps import BodyCap
from holdfast.api.door import Door
from holdfast.api.guard import Guard
from holdfast.api.headers import SafeHeaders
from holdfast.api.problems import answer_problems
from holdfast.api.request_ids import RequestIds
from holdfast.api.shared import Shared
from holdfast.api.visit import check_endpoints
from holdfast.config import Settings

NATIVE = "/api/v1"
PARTS = (jobs, batches, dead_letters, lanes, routes, operating)


def create_app(settings: Settings) -> FastAPI:
    """Make the application. Nothing is opened before it starts, and it starts with SQL and Redis down too."""
    shared = Shared(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await shared.watch.close()
        await run_in_threadpool(shared.storage.close)

    app = FastAPI(
        title="Holdfast",
        version=version("holdfast"),
        summary="Inference jobs that survive their providers.",
        lifespan=lifespan,
    )
    app.state.shared = shared
    answer_problems(app)
    for part in PARTS:
        app.include_router(part.router, prefix=NATIVE)
    app.include_router(probes.router)
    check_endpoints(app)
    app.add_middleware(BodyCap)
    app.add_middleware(Door, shared=shared)
    app.add_middleware(Guard, shared=shared)
    app.add_middleware(SafeHeaders)
    app.add_middleware(RequestIds)  # outermost: every answer has one
    return app

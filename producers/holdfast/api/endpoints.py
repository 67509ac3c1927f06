"""Every endpoint of the server, put together once for a process: which parts there are, and under which prefix."""

from collections.abc import Sequence
from functools import cache

from fastapi import APIRouter
from starlette.routing import BaseRoute

from holdfast.api import documentation, probes
from holdfast.api.anthropic import batches as message_batches
from holdfast.api.anthropic import messages
from holdfast.api.auth.request_context import check_endpoints
from holdfast.api.compatible import models
from holdfast.api.native import (
    alerts,
    audit,
    batches,
    dead_letters,
    diagnosis,
    estimates,
    events,
    jobs,
    lanes,
    routes,
    status,
    webhooks,
)
from holdfast.api.openai import batches as openai_batches
from holdfast.api.openai import calls as openai_calls
from holdfast.api.openai import files as openai_files
from holdfast.api.openapi import EVERYWHERE, name_operation
from holdfast.api.page_paths import CLIENTS
from holdfast.api.ui import (
    alert_pages,
    batch_pages,
    dead_letter_pages,
    fleet_page,
    job_pages,
    login,
    webhook_pages,
)

UI = (fleet_page, alert_pages, job_pages, batch_pages, dead_letter_pages, webhook_pages, login)
NATIVE = "/api/v1"
WAITING_CALLS = (openai_calls, messages)
CLIENT_APIS = (models, openai_files, openai_batches, message_batches)
PARTS = (estimates, jobs, batches, events, dead_letters, lanes, routes, status, diagnosis, webhooks, alerts, audit)


@cache
def all_endpoints() -> Sequence[BaseRoute]:
    """Put the parts together. FastAPI reads the signature of each endpoint then, which takes a tenth of a second.

    None of them knows an application, so that all applications of a process share them.
    Raises TypeError for an endpoint that lets everybody in.
    """
    router = APIRouter(generate_unique_id_function=name_operation)
    for part in WAITING_CALLS:  # first: a request is compared with one route after another
        router.include_router(part.router, prefix=CLIENTS, include_in_schema=False)
    for part in PARTS:
        router.include_router(part.router, prefix=NATIVE, responses=EVERYWHERE)
    for part in CLIENT_APIS:
        router.include_router(part.router, prefix=CLIENTS, include_in_schema=False)  # the SDKs describe them
    for part in UI:
        router.include_router(part.router, include_in_schema=False)
    router.include_router(probes.router)
    router.include_router(documentation.router, include_in_schema=False)
    check_endpoints(router.routes)
    return router.routes

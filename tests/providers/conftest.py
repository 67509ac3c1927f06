import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any, Protocol

import pytest
import uvloop

from holdfast.model.call_result import CallResult
from holdfast.model.fault import Fault
from holdfast.model.request import Request, Role, Text, Turn
from holdfast.model.route import Api
from holdfast.providers.connect import connect
from providers.loopback import SITE, Act, Loopback, base_url

PROMPT = "What does a queue do while the provider is away?"


def ask(text: str = PROMPT, **fields: Any) -> Request:
    return Request(turns=(Turn(role=Role.USER, parts=(Text(text=text),)),), **fields)


def fault(answer: CallResult) -> Fault:
    assert isinstance(answer.outcome, Fault), answer.outcome
    return answer.outcome


class Call(Protocol):
    async def __call__(
        self, act: Act, request: Request = ..., *, deadline: float = ..., model: str = ..., ceiling: int | None = ...
    ) -> tuple[CallResult, Loopback]: ...


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Calls are made on the loop that workers use."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture(params=list(Api), ids=lambda api: api.value)
def api(request: pytest.FixtureRequest) -> Api:
    """Every test that takes it holds for all three formats, in every cloud."""
    found: Api = request.param
    return found


@pytest.fixture
async def call() -> AsyncIterator[Callable[..., Any]]:
    """Make one call against a server that does as told; both are closed behind the test."""
    async with AsyncExitStack() as stack:

        async def make(
            api: Api, act: Act, request: Request | None = None, *, deadline: float = 5.0, model: str = "m", **how: Any
        ) -> tuple[CallResult, Loopback]:
            server = await stack.enter_async_context(Loopback(act))
            provider = connect(api, base_url(api, server.url), "sk-secret-of-the-test", concurrency=10, site=SITE)
            stack.push_async_callback(provider.close)
            return await provider.complete(model, request or ask(), deadline=deadline, tag="job_1/0/1", **how), server

        yield make

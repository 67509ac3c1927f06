"""Counting the tokens of a request: its provider's own count where that can be had at once, else our estimate.

A count costs nothing and promises nothing (docs/decisions/0044), so it is asked of the provider directly, past the
queue, in the time that a caller may be kept waiting; a provider that gave none is left alone for a while.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx2
import msgspec
from starlette.concurrency import run_in_threadpool

from holdfast.config import ProviderSettings, SecretUnavailable, Settings, read_secret
from holdfast.model import exact_json
from holdfast.model.loopback import is_loopback
from holdfast.model.route import Api, Plan, Route
from holdfast.model.written import WrittenRequest
from holdfast.policy.token_estimate import estimate
from holdfast.wire.usages import figure
from holdfast.wire.written import read_written
from holdfast.wire.written_body import slices

COUNT = "/v1/messages/count_tokens"
SECONDS = 3.0  # for a provider's answer
COOL_OFF = 60.0  # seconds in which a provider that gave none is not asked again
OK = 200
OF_THE_CALLER = frozenset({400, 413, 422})  # statuses that say nothing against the provider
LARGEST = 64 * 1024  # bytes of an answer that are read

log = logging.getLogger(__name__)


class NoCount(Exception):
    """A provider did not count."""


@dataclass(frozen=True, slots=True)
class TokenCount:
    """``estimated``: nobody counted, it is our guess."""

    input_tokens: int
    estimated: bool


class TokenCounter:
    """Belongs to one event loop."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._clock = settings, clock
        self._leave_until: dict[str, float] = {}
        self._clients: dict[str, httpx2.AsyncClient] = {}

    async def count(self, asked: WrittenRequest, plan: Plan) -> TokenCount:
        """Count a request to create a message. Raises InvalidRequest: it is none."""
        reading = read_written(asked)
        route = next((route for route in plan.routes if route.api is Api.ANTHROPIC), None)
        counted = None if route is None else await self._counted(asked, route)
        if counted is None:
            return TokenCount(estimate(reading).input_tokens, estimated=True)
        return TokenCount(counted, estimated=False)

    async def _counted(self, asked: WrittenRequest, route: Route) -> int | None:
        name = route.provider
        if self._clock() < self._leave_until.get(name, 0.0):
            return None
        try:
            async with asyncio.timeout(SECONDS):
                return await self._ask(asked, self._settings.providers[name], route.model)
        except (TimeoutError, httpx2.HTTPError, SecretUnavailable, NoCount) as error:
            self._leave_until[name] = self._clock() + COOL_OFF
            log.info("%s counts no tokens at the moment: %s", name, error or type(error).__name__)
            return None

    async def _ask(self, asked: WrittenRequest, provider: ProviderSettings, model: str) -> int | None:
        """Ask one provider; None where the request is what it refuses. Raises NoCount, HTTPError, SecretUnavailable."""
        secret = await run_in_threadpool(secret_of, provider)
        body = msgspec.json.encode({**slices(asked.body), "model": msgspec.Raw(exact_json.dumps(model))})
        headers = {**asked.headers, "content-type": "application/json", "x-api-key": secret}
        url = provider.base_url.rstrip("/") + COUNT
        async with self._client(provider).stream("POST", url, content=body, headers=headers) as response:
            if response.status_code in OF_THE_CALLER:
                return None
            if response.status_code != OK:
                raise NoCount(f"it answered {response.status_code}")
            return await read_count(response)

    def _client(self, provider: ProviderSettings) -> httpx2.AsyncClient:
        if provider.name not in self._clients:
            ours = is_loopback(httpx2.URL(provider.base_url).host)
            self._clients[provider.name] = httpx2.AsyncClient(timeout=SECONDS, trust_env=not ours)
        return self._clients[provider.name]

    async def close(self) -> None:
        for client in self._clients.values():
            await client.aclose()


def secret_of(provider: ProviderSettings) -> str:
    """Read a provider's key here. Raises NoCount where its login is more than a key, SecretUnavailable."""
    static = next((credential for credential in provider.credentials if credential.issuer is None), None)
    if static is None:
        raise NoCount("only workers log in there")
    return read_secret(static.secret)


async def read_count(response: httpx2.Response) -> int:
    """Read the answer of a provider. Raises NoCount: it is none."""
    read = b""
    async for piece in response.aiter_bytes():
        read += piece
        if len(read) > LARGEST:
            raise NoCount("its answer is too long")
    try:
        counted = figure(exact_json.loads(read), "input_tokens")
    except ValueError:
        counted = None
    if counted is None:
        raise NoCount("its answer has no input_tokens")
    return counted

"""One adapter per provider and credential, made at first use, made again when its key or token changed."""

import asyncio
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field, replace

import structlog

from holdfast.config import Settings
from holdfast.credentials import Credentials
from holdfast.model.call_result import CallResult
from holdfast.model.errors import HoldfastError
from holdfast.model.request import Request
from holdfast.model.route import Plan, Route
from holdfast.providers.connect import connect
from holdfast.providers.port import Provider, Refusal
from holdfast.wire.redactor import Redactor

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ProviderClient:
    """An adapter and what it logs in with."""

    provider: Provider
    secret: str = field(repr=False)
    redactor: Redactor = field(default_factory=Redactor, repr=False)

    async def complete(
        self,
        model: str,
        request: Request,
        *,
        deadline: float,
        tag: str,
        refusal: Refusal | None = None,
        ceiling: int | None = None,
    ) -> CallResult:
        """Make one call; see ``Provider.complete``. Nothing in its result repeats a secret of this process."""
        answer = await self.provider.complete(
            model, request, deadline=deadline, tag=tag, refusal=refusal, ceiling=ceiling
        )
        return self.redactor.result(answer)


class ProviderPool:
    """Opens providers lazily, so that a process imports only the SDKs that its routes need."""

    def __init__(self, settings: Settings, concurrency: int, credentials: Credentials | None = None) -> None:
        self._settings = settings
        self._concurrency = concurrency
        self.credentials = credentials or Credentials(settings)
        self.redactor = Redactor()
        self._open: dict[tuple[str, str], ProviderClient] = {}
        self._retired: list[ProviderClient] = []
        self._behind: set[asyncio.Task[object]] = set()
        self._unusable: dict[tuple[str, str], str] = {}
        self._lock = asyncio.Lock()

    def usable(self, plan: Plan) -> Plan:
        """The plan without credentials whose secret cannot be read; a route without any is left out."""
        routes = (replace(route, credentials=self._readable(route)) for route in plan.routes)
        return replace(plan, routes=tuple(route for route in routes if route.credentials))

    def _readable(self, route: Route) -> tuple[str, ...]:
        return tuple(name for name in route.credentials if self._has_secret(route.provider, name))

    def _has_secret(self, provider: str, credential: str) -> bool:
        try:
            return self.credentials.may_have(provider, credential)
        except HoldfastError as error:
            if self._unusable.get((provider, credential)) != str(error):
                log.warning("credential_unusable", provider=provider, credential=credential, why=str(error))
            self._unusable[provider, credential] = str(error)
            return False

    @property
    def unusable(self) -> dict[str, str]:
        """Credentials that were left out of plans, as ``provider/credential``, each with the reason."""
        return {f"{provider}/{name}": why for (provider, name), why in self._unusable.items()}

    def found_missing(self, provider: str, credential: str) -> bool:
        """Whether a credential that was left out of plans has a secret now; told once."""
        return self._unusable.pop((provider, credential), None) is not None

    async def open(self, routes: Iterable[Route]) -> None:
        """Open what ``routes`` need. What is not opened ahead is so by the first call that needs it."""
        for provider, credential in dict.fromkeys((r.provider, name) for r in routes for name in r.credentials):
            try:
                await self._client(provider, credential)
            except HoldfastError as error:
                log.warning("provider_not_opened", provider=provider, credential=credential, why=str(error))

    async def client(self, route: Route, credential: str) -> ProviderClient:
        """The adapter for a route's provider with the credential's secret of now. Raises NoToken."""
        return await self._client(route.provider, credential)

    async def _client(self, name: str, credential: str) -> ProviderClient:
        secret = await self.credentials.secret(name, credential)
        found = self._open.get((name, credential))
        return found if found and found.secret == secret else await self._connect(name, credential, secret)

    async def _connect(self, name: str, credential: str, secret: str) -> ProviderClient:
        async with self._lock:
            found = self._open.get((name, credential))
            if found and found.secret == secret:
                return found
            configured = self._settings.providers[name]
            provider = await asyncio.to_thread(
                connect,
                configured.api,
                configured.base_url,
                secret,
                concurrency=self._concurrency,
                site=configured.site,
                runtime=self._settings.runtime,
            )
            self.redactor.learn(f"{name}/{credential}", secret)
            self._open[name, credential] = made = ProviderClient(provider, secret, self.redactor)
        if found:
            self._retire(found, configured.deadline)
        return made

    def _retire(self, client: ProviderClient, deadline: float) -> None:
        """Close an adapter once the calls that it may be making are over."""

        async def close_later() -> None:
            await asyncio.sleep(deadline + 1.0)
            self._retired.remove(client)
            await client.provider.close()

        self._retired.append(client)
        self._do_behind(close_later())

    def login_refused(self, route: Route, credential: str, client: ProviderClient) -> None:
        """Have another key or token looked for, since the provider refused this one. The job does not wait for that."""
        self._do_behind(self.credentials.refused(route.provider, credential, client.secret))

    def _do_behind(self, work: Coroutine[None, None, object]) -> None:
        behind = asyncio.create_task(work)
        self._behind.add(behind)
        behind.add_done_callback(self._behind.discard)

    async def close(self) -> None:
        behind = list(self._behind)
        for each in behind:
            each.cancel()
        await asyncio.gather(*behind, return_exceptions=True)
        for client in (*self._retired, *self._open.values()):
            await client.provider.close()

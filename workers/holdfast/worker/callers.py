"""One adapter per provider and credential, made at first use, made again when its secret changed."""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

import structlog

from holdfast.model.errors import HoldfastError
from holdfast.model.route import Plan, Route
from holdfast.providers.port import Provider, connect
from holdfast.settings import Settings, read_secret

log = structlog.get_logger()


class Callers:
    """Opens providers lazily, so that a process imports only the SDKs that its routes need."""

    def __init__(self, settings: Settings, concurrency: int) -> None:
        self._settings = settings
        self._concurrency = concurrency
        self._open: dict[tuple[str, str], tuple[str, Provider]] = {}
        self._unusable: dict[tuple[str, str], str] = {}
        self._lock = asyncio.Lock()

    def usable(self, plan: Plan) -> Plan:
        """The plan without credentials whose secret cannot be read; a route without any is left out."""
        routes = (replace(route, credentials=self._readable(route)) for route in plan.routes)
        return replace(plan, routes=tuple(route for route in routes if route.credentials))

    def _readable(self, route: Route) -> tuple[str, ...]:
        return tuple(name for name in route.credentials if self._has_secret(route.provider, name))

    def _has_secret(self, provider: str, credential: str) -> bool:
        if (provider, credential) in self._open:
            return True
        try:
            self._secret(provider, credential)
        except HoldfastError as error:
            if self._unusable.get((provider, credential)) != str(error):
                log.warning("credential_unusable", provider=provider, credential=credential, why=str(error))
            self._unusable[provider, credential] = str(error)
            return False
        return True

    def _secret(self, provider: str, credential: str) -> str:
        configured = self._settings.providers[provider].credential(credential)
        return read_secret(configured.secret) if configured else ""

    async def open_all(self, plans: Iterable[Plan]) -> None:
        """Open what ``plans`` need before the first permit: while an SDK is imported, allowances would pile up."""
        for provider, credential in {
            (r.provider, name) for plan in plans for r in plan.routes for name in r.credentials
        }:
            try:
                await self._connect(provider, credential)
            except HoldfastError as error:
                log.warning("provider_not_opened", provider=provider, credential=credential, why=str(error))

    async def provider(self, route: Route, credential: str) -> Provider:
        """The adapter for a route's provider under one credential. Raises HoldfastError: the secret cannot be read."""
        found = self._open.get((route.provider, credential))
        return found[1] if found else await self._connect(route.provider, credential)

    async def _connect(self, name: str, credential: str) -> Provider:
        async with self._lock:
            if found := self._open.get((name, credential)):
                return found[1]
            configured = self._settings.providers[name]
            secret = self._secret(name, credential)
            provider = await asyncio.to_thread(
                connect, configured.api, configured.base_url, secret, concurrency=self._concurrency
            )
            self._open[name, credential] = (secret, provider)
            return provider

    async def reread(self, route: Route, credential: str) -> bool:
        """Read a refused credential's secret again; True when it changed, and the next call uses the new one."""
        secret = await asyncio.to_thread(self._secret, route.provider, credential)
        found = self._open.get((route.provider, credential))
        if found is None or found[0] == secret:
            return False
        del self._open[route.provider, credential]
        log.info("credential_changed", provider=route.provider, credential=credential)
        return True

    async def close(self) -> None:
        for _, provider in self._open.values():
            await provider.close()

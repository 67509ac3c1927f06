"""All checks of one provider, side by side and within a bound, made into its diagnosis."""

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Literal

import aiohttp
from yarl import URL

from holdfast.config import CredentialSettings, ProviderSettings, Settings
from holdfast.credentials import Credentials, NoToken
from holdfast.diagnose.calls import list_url, try_key, try_model
from holdfast.diagnose.network import ask_bare, find_obstacle, read_page
from holdfast.diagnose.status_page import StatusPage
from holdfast.diagnose.verdict import (
    Cause,
    Diagnosis,
    Findings,
    ModelCheck,
    Unreachable,
    cause_of,
    diagnose,
    fault_words,
)
from holdfast.model.errors import HoldfastError
from holdfast.model.fault import Fault, FaultKind
from holdfast.providers.proxies import ProxyOf, read_proxies

LONGEST = 12.0  # seconds of all checks together
MODELS = 8  # models of a provider that are called
# What a key's check tells where no fault came of it: whether it passed, in words.
LOGIN_CHECKS: Mapping[Literal["accepted", "no list"], tuple[bool | None, str]] = {
    "accepted": (True, "accepted"),
    "no list": (None, "no list of models to try it on"),
}


@dataclass(frozen=True, slots=True)
class ProviderCheck:
    """One check as it is shown. ``ok`` None: it was not made."""

    name: str
    ok: bool | None
    what: str


@dataclass(frozen=True, slots=True)
class Examination:
    """A provider's diagnosis, with the checks behind it in their order, and how long they took, in seconds."""

    diagnosis: Diagnosis
    checks: Sequence[ProviderCheck]
    seconds: float


@dataclass(slots=True)
class Examiner:
    """Examines the providers of a configuration.

    ``with_calls``: models are called, a few tokens each; without, keys are tried only. ``accepted_lately``: the
    credentials, as ``provider/credential``, that calls of this installation were answered with minutes ago.
    ``fleet_faults``: what this installation's calls came to on routes that are down; without calls these decide.
    """

    settings: Settings
    with_calls: bool = True
    accepted_lately: Collection[str] = ()
    fleet_faults: Mapping[str, Fault] = field(default_factory=dict)
    credentials: Credentials = field(init=False)

    def __post_init__(self) -> None:
        self.credentials = Credentials(self.settings)

    async def examine(self, names: Iterable[str]) -> list[Examination]:
        """Examine providers side by side. Raises ConfigError: a proxy of the environment speaks no HTTP."""
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
            providers = [self.settings.providers[name] for name in names]
            found = [_Checks(self, each, session, read_proxies(each.site.proxy)) for each in providers]
            await asyncio.gather(*(each.run() for each in found))
        return [one.conclude(other for other in found if other is not one) for one in found]

    def models_of(self, provider: str) -> list[str]:
        """List the models that plans use of a provider, a few at most."""
        routes = (route for plan in self.settings.models.values() for route in plan.routes)
        return list(dict.fromkeys(route.model for route in routes if route.provider == provider))[:MODELS]


@dataclass(slots=True)
class _Checks:
    """The checks of one provider, and what they have found so far."""

    examiner: Examiner
    provider: ProviderSettings
    session: aiohttp.ClientSession
    proxy_of: ProxyOf
    obstacle: Unreachable | None = None
    is_connected: bool | None = None
    bare: str = "not asked"
    page: StatusPage | None = None
    page_says: str = "none is configured"
    missing: dict[str, str] = field(default_factory=dict)
    issuer_fails: bool = False
    logins: dict[str, Fault | Literal["accepted", "no list"]] = field(default_factory=dict)
    models: dict[str, ModelCheck] = field(default_factory=dict)
    seconds: float = 0.0

    async def run(self) -> None:
        """Make all checks; what is not done within ``LONGEST`` seconds stays open."""
        started = monotonic()
        with suppress(TimeoutError):
            async with asyncio.timeout(LONGEST):
                await asyncio.gather(self._reach(), self._read_page(), self._log_in())
        self.seconds = monotonic() - started

    async def _reach(self) -> None:
        url = URL(self.provider.base_url)
        self.obstacle = await find_obstacle(url, self.proxy_of)
        self.is_connected = self.obstacle is None
        if self.is_connected:
            self.bare = await ask_bare(self.session, list_url(self.provider) or url, self.proxy_of)

    async def _read_page(self) -> None:
        if self.provider.status_page is not None:
            host = URL(self.provider.base_url).host or ""
            self.page, self.page_says = await read_page(self.session, self.provider.status_page, host, self.proxy_of)

    async def _log_in(self) -> None:
        secrets = {each.name: await self._secret(each) for each in self.provider.credentials}
        usable = {name: secret for name, secret in secrets.items() if secret is not None}
        if usable:
            await asyncio.gather(self._try_keys(usable), self._try_models(*next(iter(usable.items()))))

    async def _secret(self, credential: CredentialSettings) -> str | None:
        try:
            return await self.examiner.credentials.secret(self.provider.name, credential.name)
        except HoldfastError as error:
            self.missing[credential.name] = error.why.rstrip(".") if isinstance(error, NoToken) else str(error)
            self.issuer_fails |= credential.issuer is not None
            return None

    async def _try_keys(self, secrets: Mapping[str, str]) -> None:
        url = list_url(self.provider)
        if url is None:
            return
        tries = [try_key(self.session, self.provider, url, secret, self.proxy_of) for secret in secrets.values()]
        self.logins.update(zip(secrets, await asyncio.gather(*tries), strict=True))

    async def _try_models(self, credential: str, secret: str) -> None:
        if not self.examiner.with_calls:
            self._take_fleets(credential)
            return

        async def one(model: str) -> None:
            self.models[model] = ModelCheck(model, credential, Fault(FaultKind.TIMED_OUT, "no answer in time"))
            self.models[model] = ModelCheck(model, credential, await try_model(self.provider, model, secret))

        await asyncio.gather(*(one(model) for model in self.examiner.models_of(self.provider.name)))

    def _take_fleets(self, credential: str) -> None:
        """Take the fleet's own calls for those that are not made here, where any failed."""
        faults = self.examiner.fleet_faults
        models = self.examiner.models_of(self.provider.name)
        found = {model: ModelCheck(model, credential, faults.get(f"{self.provider.name}/{model}")) for model in models}
        if any(each.fault for each in found.values()):
            self.models |= found

    def conclude(self, others: Iterable["_Checks"]) -> Examination:
        """Come to the diagnosis, once ``others`` have shown whether their hosts are reached."""
        reached = [each.is_connected for each in others] + (
            [self.page is not None] if self.provider.status_page else []
        )
        findings = Findings(
            self.provider.name,
            credentials=len(self.provider.credentials),
            missing=self.missing,
            issuer_fails=self.issuer_fails,
            unreachable=self.obstacle,
            others_reachable=any(reached) if reached else None,
            logins={name: None if end == "accepted" else end for name, end in self.logins.items() if end != "no list"},
            models=list(self.models.values()),
            page=self.page,
            accepted_lately=self._accepted_lately(),
        )
        return Examination(diagnose(findings), tuple(self._checks()), round(self.seconds, 2))

    def _accepted_lately(self) -> frozenset[str]:
        names = (each.name for each in self.provider.credentials)
        return frozenset(name for name in names if f"{self.provider.name}/{name}" in self.examiner.accepted_lately)

    def _checks(self) -> Iterator[ProviderCheck]:
        """List the checks as an operator reads them, from the network to the models."""
        why = self.obstacle.why if self.obstacle else f"{URL(self.provider.base_url).host} takes connections"
        yield ProviderCheck("connection", self.is_connected, why)
        yield ProviderCheck(
            "without a key", None if self.is_connected is None else self.bare.startswith("answers"), self.bare
        )
        for name, reason in self.missing.items():
            yield ProviderCheck(f"key {name}", ok=False, what=reason)
        for name, end in self.logins.items():
            ok, what = LOGIN_CHECKS[end] if isinstance(end, str) else (False, fault_words(end))
            yield ProviderCheck(f"key {name}", ok, what)
        for each in self.models.values():
            ok = cause_of(each.fault) is Cause.ANSWERS
            yield ProviderCheck(f"model {each.model}", ok, "answers" if each.fault is None else fault_words(each.fault))
        page_ok = None if self.page is None else self.page.claims == "no_provider_incident"
        yield ProviderCheck("status page", page_ok, self.page_says.replace("_", " "))

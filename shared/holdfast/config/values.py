"""Settings as all other parts see them: frozen, complete, checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from holdfast.config.presets import PRESETS
from holdfast.config.schema import BreakerRules, Server, Worker
from holdfast.model.errors import InvalidRequest
from holdfast.model.receiver_address import AllowedReceivers
from holdfast.model.route import Api, Limits, Plan, Route, Site
from holdfast.testing import PRODUCTION, Runtime


@dataclass(frozen=True, slots=True)
class Storage:
    """``directory`` holds the embedded SQLite file and Redis; ``namespace`` is the hash tag of every Redis key.

    ``keep_results``: seconds for which an ended job is kept; None: for ever. ``keep_events``: seconds for which the
    outbox keeps what happened. ``message_key`` signs what lies in Redis; None: a random key that the database keeps.
    """

    database_url: str
    redis_url: str
    directory: Path
    namespace: str = "hf"
    keep_results: float | None = None
    keep_events: float = 3 * 86_400.0
    message_key: str | None = field(default=None, repr=False)


# Families of models by how their names begin, the usual name of the provider that makes them, and its address.
FAMILIES = (
    (("claude-",), "anthropic", "https://api.anthropic.com"),
    (
        ("gpt-", "chatgpt-", "o1", "o3", "o4", "text-embedding-", "omni-moderation"),
        "openai",
        "https://api.openai.com/v1",
    ),
    (("gemini-",), "gemini", "https://generativelanguage.googleapis.com/v1beta/openai"),
)
# Addresses whose prices are known; a server of one's own has none.
OFFICIAL = frozenset(each.address for each in PRESETS.values() if each.key)
SECRET = "{secret}"  # noqa: S105  stands for the secret in a body's field


@dataclass(frozen=True, slots=True)
class Issuer:
    """An endpoint that gives short-lived tokens for a secret.

    ``fields`` is the body; ``{secret}`` in a value stands for the secret. Where no value has it, the secret goes out in
    the ``Authorization`` header: Basic with ``client_id``, or Bearer when that is None. ``token`` and ``expires_in``
    name the fields of the answer.
    """

    url: str
    fields: Mapping[str, str]
    client_id: str | None = None
    encoding: Literal["json", "form"] = "form"
    token: str = "access_token"  # noqa: S105  a field's name
    expires_in: str = "expires_in"


@dataclass(frozen=True, slots=True)
class CredentialSettings:
    """``secret`` is a reference for ``read_secret``, never the secret: of the key or, with an issuer, of our secret."""

    name: str
    secret: str
    issuer: Issuer | None = None


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """``deadline`` (total, per call) and ``slow_after`` in seconds."""

    name: str
    api: Api
    base_url: str
    credentials: tuple[CredentialSettings, ...]
    deadline: float = 120.0
    slow_after: float | None = None
    status_page: str | None = None
    limits: Limits = field(default_factory=Limits)
    breaker: BreakerRules = field(default_factory=BreakerRules)
    site: Site = field(default_factory=Site)
    endpoints: tuple[str, ...] = ()

    def credential(self, name: str) -> CredentialSettings | None:
        return next((credential for credential in self.credentials if credential.name == name), None)

    def route(self, model: str) -> Route:
        """Make the route to one of this provider's models, with the provider's own limits and deadline."""
        return Route(
            provider=self.name,
            model=model,
            api=self.api,
            group=model,
            credentials=tuple(credential.name for credential in self.credentials),
            limits=self.limits,
            deadline=self.deadline,
            slow_after=self.slow_after,
            endpoints=self.endpoints,
            official=self.base_url if self.base_url in OFFICIAL else None,
        )


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """``allowed``: receivers beyond public addresses. ``give_up_after``: seconds for which a delivery is tried."""

    allowed: AllowedReceivers = field(default_factory=AllowedReceivers)
    give_up_after: float = 259_200.0


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """Who is told of troubles older than ``after`` seconds, and that they have been gone for ``quiet`` seconds."""

    webhooks: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    after: float = 10.0
    quiet: float = 20.0
    monthly_budget_usd: float | None = None

    @property
    def wanted(self) -> bool:
        """Whether anybody is to be told."""
        return bool(self.webhooks or self.command)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the configuration says. ``source`` is the file it came from; None: there was none."""

    source: Path | None
    server: Server
    storage: Storage
    worker: Worker
    providers: Mapping[str, ProviderSettings]
    models: Mapping[str, Plan]
    webhooks: WebhookSettings = field(default_factory=WebhookSettings)
    alerts: AlertSettings = field(default_factory=AlertSettings)
    runtime: Runtime = PRODUCTION  # the clock and the crash points of this process, from its environment

    def plan(self, model: str) -> Plan:
        """Find the plan of an alias, of ``provider/model``, or of a provider's own name for a model.

        A bare name means the routes that have it, in whichever plans; else the model's own provider, by its family.
        Raises InvalidRequest.
        """
        if model in self.models:
            return self.models[model]
        provider, slash, name = model.partition("/")
        if slash and name and provider in self.providers:
            return Plan(model, (self._route(provider, name),))
        if routes := self._routes_with(model) or self._routes_of_family(model):
            return Plan(model, routes)
        raise InvalidRequest("model", f"there is no model {model!r} in the configuration.", self._nearest(model))

    def _route(self, provider: str, model: str) -> Route:
        """Return a route as a plan of some alias has it, so that it keeps its limits and price when named directly."""
        known = (plan.route(f"{provider}/{model}") for plan in self.models.values())
        return next((route for route in known if route is not None), None) or self.providers[provider].route(model)

    def _routes_with(self, model: str) -> tuple[Route, ...]:
        found = {route.name: route for plan in self.models.values() for route in plan.routes if route.model == model}
        return tuple(found.values())

    def _routes_of_family(self, model: str) -> tuple[Route, ...]:
        """Return the route of the provider that makes the model: by its official address, or by its usual name."""
        for prefixes, name, address in FAMILIES:
            if model.startswith(prefixes):
                own = [each for each in self.providers.values() if address == each.base_url]
                own += [each for each in (self.providers.get(name),) if each is not None]
                return tuple(self._route(each.name, model) for each in own[:1])
        return ()

    def _nearest(self, model: str) -> str:
        if "/" in model:
            return f"Providers are: {', '.join(sorted(self.providers)) or 'none'}."
        near = get_close_matches(model, self.models, n=3, cutoff=0.5) or sorted(self.models)[:10]
        if near:
            return f"Did you mean {' or '.join(near)}? A job may also name provider/model."
        providers = ", ".join(sorted(self.providers)) or "none configured"
        return f"No aliases are configured: name provider/model (providers: {providers})."

"""From a checked file to settings: defaults that depend on each other are decided here."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from holdfast.config.clouds import KEYS, official_address
from holdfast.config.presets import PRESETS, Preset
from holdfast.config.schema import (
    AlertsTable,
    ConfigFile,
    CredentialTable,
    LimitsTable,
    ModelTable,
    OAuth2Table,
    ProviderTable,
    RouteTable,
    StorageTable,
)
from holdfast.config.secrets import NONE
from holdfast.config.values import (
    SECRET,
    AlertSettings,
    CredentialSettings,
    Issuer,
    ProviderSettings,
    Settings,
    Storage,
    WebhookSettings,
)
from holdfast.model.environment import DATABASE_URL, MESSAGE_KEY, REDIS_URL, read_variable
from holdfast.model.receiver_address import read_allowed
from holdfast.model.route import Hedge, Limits, Plan, Price, Route, Site
from holdfast.testing import Runtime


def build(table: ConfigFile, source: Path | None, env: Mapping[str, str]) -> Settings:
    """Build settings from a table that has passed every check."""
    tables = table.providers or {name: _built_in(PRESETS[name]) for name in key_variables(env)}
    providers = {name: _provider(name, each) for name, each in tables.items()}
    return Settings(
        source=source,
        server=table.server,
        storage=_storage(table.storage, env),
        worker=table.worker,
        providers=providers,
        models={alias: _plan(alias, each, providers) for alias, each in table.models.items()},
        webhooks=WebhookSettings(read_allowed(table.webhooks.allow), table.webhooks.give_up_after),
        alerts=_alerts(table.alerts),
        runtime=Runtime.from_environment(env),
    )


def _alerts(table: AlertsTable) -> AlertSettings:
    texts = {"webhooks": tuple(table.webhooks), "command": tuple(table.command)}
    return AlertSettings(**{**table.model_dump(), **texts})


def key_variables(env: Mapping[str, str]) -> dict[str, str]:
    """Map the providers whose key is in the environment to the name of its variable."""
    return {name: preset.key for name, preset in PRESETS.items() if preset.key and read_variable(preset.key, env)}


def _built_in(preset: Preset) -> ProviderTable:
    """Return what there is of a provider without a configuration."""
    return ProviderTable(
        api=preset.api, base_url=preset.address, dialect=preset.dialect, status_page=preset.status_page
    )


def _storage(table: StorageTable, env: Mapping[str, str]) -> Storage:
    directory = Path(table.directory)
    return Storage(
        database_url=read_variable(DATABASE_URL, env) or table.database_url or f"sqlite:///{directory / 'holdfast.db'}",
        redis_url=read_variable(REDIS_URL, env) or table.redis_url,
        directory=directory,
        namespace=table.namespace,
        keep_results=table.keep_results,
        keep_events=table.keep_events,
        message_key=read_variable(MESSAGE_KEY, env),
    )


def _provider(name: str, table: ProviderTable) -> ProviderSettings:
    return ProviderSettings(
        name=name,
        api=table.api,
        base_url=_address(table),
        credentials=_credentials(table),
        deadline=table.deadline,
        slow_after=table.slow_after,
        status_page=table.status_page,
        limits=_limits(table.limits),
        endpoints=tuple(table.endpoints),
        breaker=table.breaker,
        site=Site(table.region, table.project, table.workspace_id, table.api_version, table.dialect, table.proxy),
    )


def _address(table: ProviderTable) -> str:
    return table.base_url or official_address(table)


def _credentials(table: ProviderTable) -> tuple[CredentialSettings, ...]:
    if table.credentials is None:
        variable = KEYS.get(table.api) or KEYS.get(_address(table))
        return (CredentialSettings("main", f"env:{variable}" if variable else NONE),)
    return tuple(_credential(each) for each in table.credentials)


def _credential(table: CredentialTable) -> CredentialSettings:
    if table.oauth2 is not None:
        return CredentialSettings(table.name, table.oauth2.client_secret, _oauth2(table.oauth2))
    if table.token is not None:
        spoken = table.token.model_dump(exclude={"secret", "body"})
        return CredentialSettings(table.name, table.token.secret, Issuer(fields=table.token.body, **spoken))
    return CredentialSettings(table.name, table.secret or NONE)


def _oauth2(table: OAuth2Table) -> Issuer:
    fields = {"grant_type": "client_credentials"} | ({"scope": table.scope} if table.scope else {})
    if table.sent_in == "header":
        return Issuer(table.token_url, fields, client_id=table.client_id)
    return Issuer(table.token_url, fields | {"client_id": table.client_id, "client_secret": SECRET})


def _plan(alias: str, table: ModelTable, providers: Mapping[str, ProviderSettings]) -> Plan:
    hedge = Hedge(**table.hedge.model_dump()) if table.hedge else None
    routes = tuple(_route(each, providers[each.provider]) for each in table.routes)
    return Plan(alias, routes, hedge, table.interchangeable)


def _route(table: RouteTable, provider: ProviderSettings) -> Route:
    plain = provider.route(table.model)
    return replace(
        plain,
        group=table.group or plain.group,
        limits=plain.limits if table.limits is None else _limits(table.limits),
        price=Price(**table.price.model_dump()) if table.price else None,
        deadline=table.deadline or plain.deadline,
        slow_after=table.slow_after or plain.slow_after,
    )


def _limits(table: LimitsTable) -> Limits:
    return Limits(**table.model_dump())

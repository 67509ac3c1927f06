"""From a checked file to settings: defaults that depend on each other are decided here."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from holdfast.config.clouds import ADDRESSES, KEYS, cloud_address
from holdfast.config.schema import (
    CredentialForm,
    FileForm,
    LimitsForm,
    ModelForm,
    OAuth2Form,
    ProviderForm,
    RouteForm,
    StorageForm,
)
from holdfast.config.secrets import NONE
from holdfast.config.values import (
    SECRET,
    BreakerRules,
    CredentialSettings,
    Issuer,
    ProviderSettings,
    Server,
    Settings,
    Storage,
    Worker,
)
from holdfast.model.environment import DATABASE_URL, MESSAGE_KEY, REDIS_URL
from holdfast.model.route import Api, Hedge, Limits, Plan, Price, Route, Site

BUILT_IN: Mapping[str, ProviderForm] = {  # what there is without a configuration, where its key variable is set
    "anthropic": ProviderForm(api=Api.ANTHROPIC, status_page="https://status.claude.com"),
    "openai": ProviderForm(api=Api.OPENAI_CHAT, status_page="https://status.openai.com"),
    "gemini": ProviderForm(api=Api.OPENAI_CHAT, base_url="https://generativelanguage.googleapis.com/v1beta/openai"),
}


def build(form: FileForm, source: Path | None, env: Mapping[str, str]) -> Settings:
    """Build settings from a form that has passed every check."""
    forms = form.providers or {name: BUILT_IN[name] for name in key_variables(env)}
    providers = {name: _provider(name, each) for name, each in forms.items()}
    return Settings(
        source=source,
        server=Server(form.server.host, form.server.port),
        storage=_storage(form.storage, env),
        worker=Worker(**form.worker.model_dump()),
        providers=providers,
        models={alias: _plan(alias, each, providers) for alias, each in form.models.items()},
    )


def key_variables(env: Mapping[str, str]) -> dict[str, str]:
    """Map the built-in providers whose key is in the environment to the name of its variable."""
    variables = {name: KEYS[_address(form)] for name, form in BUILT_IN.items()}
    return {name: variable for name, variable in variables.items() if env.get(variable)}


def _storage(form: StorageForm, env: Mapping[str, str]) -> Storage:
    directory = Path(form.directory)
    return Storage(
        database_url=env.get(DATABASE_URL) or form.database_url or f"sqlite:///{directory / 'holdfast.db'}",
        redis_url=env.get(REDIS_URL) or form.redis_url,
        directory=directory,
        namespace=form.namespace,
        keep_results=form.keep_results,
        message_key=env.get(MESSAGE_KEY) or None,
    )


def _provider(name: str, form: ProviderForm) -> ProviderSettings:
    return ProviderSettings(
        name=name,
        api=form.api,
        base_url=_address(form),
        credentials=_credentials(form),
        deadline=form.deadline,
        slow_after=form.slow_after,
        status_page=form.status_page,
        limits=_limits(form.limits),
        breaker=BreakerRules(**form.breaker.model_dump()),
        site=Site(form.region, form.project, form.workspace_id, form.api_version, form.dialect),
    )


def _address(form: ProviderForm) -> str:
    return form.base_url or ADDRESSES.get(form.api) or cloud_address(form)


def _credentials(form: ProviderForm) -> tuple[CredentialSettings, ...]:
    if form.credentials is None:
        variable = KEYS.get(form.api) or KEYS.get(_address(form))
        return (CredentialSettings("main", f"env:{variable}" if variable else NONE),)
    return tuple(_credential(each) for each in form.credentials)


def _credential(form: CredentialForm) -> CredentialSettings:
    if form.oauth2 is not None:
        return CredentialSettings(form.name, form.oauth2.client_secret, _oauth2(form.oauth2))
    if form.token is not None:
        spoken = form.token.model_dump(exclude={"secret", "body"})
        return CredentialSettings(form.name, form.token.secret, Issuer(fields=form.token.body, **spoken))
    return CredentialSettings(form.name, form.secret or NONE)


def _oauth2(form: OAuth2Form) -> Issuer:
    fields = {"grant_type": "client_credentials"} | ({"scope": form.scope} if form.scope else {})
    if form.sent_in == "header":
        return Issuer(form.token_url, fields, client_id=form.client_id)
    return Issuer(form.token_url, fields | {"client_id": form.client_id, "client_secret": SECRET})


def _plan(alias: str, form: ModelForm, providers: Mapping[str, ProviderSettings]) -> Plan:
    hedge = Hedge(**form.hedge.model_dump()) if form.hedge else None
    return Plan(alias, tuple(_route(each, providers[each.provider]) for each in form.routes), hedge)


def _route(form: RouteForm, provider: ProviderSettings) -> Route:
    plain = provider.route(form.model)
    return replace(
        plain,
        group=form.group or plain.group,
        limits=plain.limits if form.limits is None else _limits(form.limits),
        price=Price(**form.price.model_dump()),
        deadline=form.deadline or plain.deadline,
        slow_after=form.slow_after or plain.slow_after,
    )


def _limits(form: LimitsForm) -> Limits:
    return Limits(**form.model_dump())

"""``holdfast config``: is it right, and what does it say. Secrets stay references, passwords stay out."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from holdfast.cli.command import Noun
from holdfast.cli.context import settings
from holdfast.cli.show import as_json, show
from holdfast.cli.tables import View, plain

if TYPE_CHECKING:
    from holdfast.config import Settings

group = Noun("The configuration: check, show.")


@group.command(remote=False)
def check() -> None:
    """Check the configuration. Every error at once, with file, line and key; exit status 78."""
    show(checked(settings()), draw_check)


@group.command("show", remote=False)
def show_config() -> None:
    """Show what is configured, defaults filled in. Secrets are shown as references."""
    show(config_view(settings()), lambda view: plain(as_json(view).strip()))  # it is deep, and people know the form


def config_view(settings: "Settings") -> View:
    """Write everything that is configured, defaults filled in."""
    from holdfast.client.redis_link import shown_url

    storage = asdict(settings.storage) | {
        "directory": str(settings.storage.directory),
        "database_url": shown_url(settings.storage.database_url),
        "redis_url": shown_url(settings.storage.redis_url),
        "message_key": "set" if settings.storage.message_key else None,
    }
    return {
        "source": str(settings.source) if settings.source else None,
        "server": settings.server.model_dump(),
        "storage": storage,
        "worker": settings.worker.model_dump(),
        "providers": {
            name: asdict(provider) | {"breaker": provider.breaker.model_dump()}
            for name, provider in settings.providers.items()
        },
        "models": {
            alias: [asdict(route) | {"name": route.name} for route in plan.routes]
            for alias, plan in settings.models.items()
        },
    }


def checked(settings: "Settings") -> View:
    """Say what was found, and whether each secret can be read here. A missing one is no error: workers need it."""
    return {
        "source": str(settings.source) if settings.source else None,
        "providers": sorted(settings.providers),
        "models": sorted(settings.models),
        "secrets": [
            {"provider": provider.name, "credential": each.name, "secret": each.secret, "problem": problem(each.secret)}
            for provider in settings.providers.values()
            for each in provider.credentials
        ],
    }


def problem(reference: str) -> str | None:
    """Say why a secret cannot be read here; None where it can."""
    from holdfast.config import SecretUnavailable, read_secret

    try:
        read_secret(reference)
    except SecretUnavailable as error:
        return str(error)
    return None


def draw_check(view: View) -> str:
    source = view["source"] or "no configuration file: defaults and environment"
    return plain(f"{source}: {len(view['models'])} models, {len(view['providers'])} providers, no errors")

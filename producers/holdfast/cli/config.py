"""``holdfast config``: is it right, and what does it say. Secrets stay references, passwords stay out."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from typer import Exit

from holdfast.cli.command import Noun
from holdfast.cli.context import settings
from holdfast.cli.show import as_json, show
from holdfast.cli.tables import View, plain
from holdfast.model.errors import ConfigError

if TYPE_CHECKING:
    from holdfast.config import Settings

group = Noun("The configuration: check, show.")


@group.command(remote=False)
def check() -> None:
    """Check the configuration. Every error at once, with file, line and key; exit status 78."""
    view = checked(settings())
    show(view, draw_check)
    if view["problems"]:
        raise Exit(ConfigError.exit_status)


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
    """Say what was found, whether each secret can be read here, and of which models nobody can be asked."""
    from holdfast.config import find_doubts, read_here, unusable_plans
    from holdfast.model.errors import NoUsableKey

    why = read_here(settings, run_commands=True)
    unusable = [str(NoUsableKey(model, reasons)) for model, reasons in unusable_plans(settings, why).items()]
    return {
        "source": str(settings.source) if settings.source else None,
        "providers": sorted(settings.providers),
        "models": sorted(settings.models),
        "secrets": [
            {"provider": name, "credential": each.name, "secret": each.secret, "problem": why(name, each.name)}
            for name, provider in settings.providers.items()
            for each in provider.credentials
        ],
        "warnings": find_doubts(settings),
        "problems": unusable if settings.providers else [str(NoUsableKey("any model", {}))],
    }


def draw_check(view: View) -> str:
    source = view["source"] or "no configuration file: defaults and environment"
    found = f"{source}: {len(view['models'])} models, {len(view['providers'])} providers"
    missing = [
        f"{each['provider']}/{each['credential']}: {each['problem']}" for each in view["secrets"] if each["problem"]
    ]
    problems = view["problems"] or [f"{each} (other keys serve)" for each in missing]
    verdict = "not usable as it is:" if view["problems"] else "no errors"
    return plain("\n".join([f"{found}, {verdict}", *problems, *(f"warning: {each}" for each in view["warnings"])]))

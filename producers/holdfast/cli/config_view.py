"""Settings as JSON values. Secrets stay references, passwords stay out."""

from dataclasses import asdict
from typing import Any

from holdfast.config import SecretUnavailable, Settings, read_secret
from holdfast.lanes.connection import without_password


def config_view(settings: Settings) -> dict[str, Any]:
    """Write everything that is configured, defaults filled in."""
    storage = asdict(settings.storage) | {
        "directory": str(settings.storage.directory),
        "database_url": shown(settings.storage.database_url),
        "redis_url": shown(settings.storage.redis_url),
        "message_key": "set" if settings.storage.message_key else None,
    }
    return {
        "source": str(settings.source) if settings.source else None,
        "server": asdict(settings.server),
        "storage": storage,
        "worker": asdict(settings.worker),
        "providers": {name: asdict(provider) for name, provider in settings.providers.items()},
        "models": {
            alias: [asdict(route) | {"name": route.name} for route in plan.routes]
            for alias, plan in settings.models.items()
        },
    }


def shown(url: str) -> str:
    return without_password(url) if "@" in url else url


def checked(settings: Settings) -> dict[str, Any]:
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
    try:
        read_secret(reference)
    except SecretUnavailable as error:
        return str(error)
    return None

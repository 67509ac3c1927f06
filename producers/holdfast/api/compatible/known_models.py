"""The models that a call may name: aliases of the configuration, then the models of its routes by their own names."""

from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.api.compatible.errors import demand_model
from holdfast.config import Settings

OURS = "holdfast"


@dataclass(frozen=True, slots=True)
class KnownModel:
    """``owner`` is a provider of the configuration; of an alias it is Holdfast."""

    id: str
    owner: str


def known_models(settings: Settings) -> list[KnownModel]:
    """List each model once, in the order of the configuration."""
    found = {model.id: model for model in reversed(list(_all(settings)))}
    return list(reversed(found.values()))


def _all(settings: Settings) -> Iterator[KnownModel]:
    yield from (KnownModel(alias, OURS) for alias in settings.models)
    for plan in settings.models.values():
        yield from (KnownModel(route.model, route.provider) for route in plan.routes)


def find_model(settings: Settings, name: str) -> KnownModel:
    """Find a model by any name that a call may give it. Raises UnknownModel."""
    listed = next((model for model in known_models(settings) if model.id == name), None)
    if listed is not None:
        return listed
    demand_model(settings, name)
    return KnownModel(name, settings.plan(name).routes[0].provider)

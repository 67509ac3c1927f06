"""What a configuration says that hardly anybody means: no error, and told by `config check`."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from holdfast.config.presets import PRESETS
from holdfast.config.values import ProviderSettings, Settings
from holdfast.model.durations import lasting
from holdfast.model.route import Api

LONGEST_CALL = 3_600.0  # seconds; a longer deadline was mostly meant in milliseconds
OPENAI = {Api.OPENAI_CHAT, Api.OPENAI_RESPONSES}


def find_doubts(settings: Settings) -> list[str]:
    """Return a sentence for each value that hardly anybody means, in the order of the file."""
    found = [told for name, provider in settings.providers.items() for told in _of_provider(name, provider)]
    usual = {name: provider.deadline for name, provider in settings.providers.items()}
    for alias, plan in settings.models.items():
        for index, route in enumerate(plan.routes):
            if route.deadline != usual.get(route.provider):
                found += _long_deadline(f"models.{alias}.routes[{index}].deadline", route.deadline)
    return found


def _of_provider(name: str, provider: ProviderSettings) -> Iterator[str]:
    yield from _long_deadline(f"providers.{name}.deadline", provider.deadline)
    if provider.base_url and (meant := _meant_address(provider.api, provider.base_url)):
        yield f"providers.{name}.base_url is {provider.base_url}, and that API mostly answers at {meant}."


def _long_deadline(where: str, seconds: float) -> Iterator[str]:
    if seconds > LONGEST_CALL:
        meant = f'"{seconds:.0f}ms" is meant perhaps'
        yield f"{where} lets one call take {lasting(seconds)}: a number without a unit counts seconds; {meant}."


def _meant_address(api: Api, address: str) -> str | None:
    """Return where the API of that host answers; None: just there, or who knows."""
    asked = urlsplit(address)
    wire = Api.OPENAI_CHAT if api in OPENAI else api
    for preset in PRESETS.values():
        known = urlsplit(preset.address)
        if known.netloc == asked.netloc and preset.api is wire:
            return preset.address if known.path != asked.path else None
    return f"{address}/v1" if api in OPENAI and not asked.path else None

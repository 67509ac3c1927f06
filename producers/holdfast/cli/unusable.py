"""What a pool that is about to start cannot do for want of a key."""

from collections.abc import Iterable, Mapping

from holdfast.cli.show import say
from holdfast.config import Settings, read_here, unusable_plans
from holdfast.model.errors import NoUsableKey


def report_unusable(settings: Settings) -> None:
    """Name the models that nobody can be asked for. Raises NoUsableKey where that is so of all."""
    if not settings.providers:
        raise NoUsableKey("any model", {})
    found = unusable_plans(settings, read_here(settings))
    errors = [NoUsableKey(model, reasons) for model, reasons in found.items()]
    if errors and len(errors) == len(settings.models or settings.providers):
        raise errors[0] if len(errors) == 1 else NoUsableKey("any model", merged(found.values()))
    for error in errors:
        say(f"holdfast: {error}")


def merged(found: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {name: why for reasons in found for name, why in reasons.items()}

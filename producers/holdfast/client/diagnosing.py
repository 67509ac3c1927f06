"""Diagnose providers from here, and tell it as a view; waiting jobs hear of it too."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from holdfast.client.installation import Installation
from holdfast.client.outages import FleetSituation
from holdfast.model.errors import NotFound, QueueUnavailable
from holdfast.model.fault import Fault
from holdfast.policy.outage_sentence import fault_of, outage_sentence

if TYPE_CHECKING:
    from holdfast.diagnose.checks import Examination
    from holdfast.diagnose.verdict import Diagnosis


def diagnose_view(
    installation: Installation, situation: FleetSituation, provider: str | None, *, with_calls: bool
) -> dict[str, Any]:
    """Examine one provider, or all, and remember what came of it.

    ``verdict`` is that of the provider in the worst way. Takes up to fifteen seconds. Raises NotFound, ConfigError.
    """
    from holdfast.diagnose.checks import Examiner  # noqa: PLC0415 - it imports what only calls need

    providers = installation.settings.providers
    if provider is not None and provider not in providers:
        raise NotFound("provider", provider)
    examiner = Examiner(
        installation.settings,
        with_calls=with_calls,
        accepted_lately=_accepted_lately(installation),
        fleet_faults=_fleet_faults(situation),
    )
    found = asyncio.run(examiner.examine([provider] if provider is not None else providers))
    views = [_view(each, situation) for each in found]
    _remember(installation, views)
    worst = max(found, key=lambda each: each.diagnosis.verdict.weight, default=None)
    return {"verdict": worst and worst.diagnosis.verdict.value, "providers": views}


def _view(examination: "Examination", situation: FleetSituation) -> dict[str, Any]:
    from holdfast.diagnose.view import checks_view, diagnosis_view  # noqa: PLC0415 - as above

    about = examination.diagnosis
    return {
        **diagnosis_view(examination),
        **checks_view(examination),
        "outages": [outage_sentence(outage) for name, outage in situation.outages().items() if _is_of(name, about)],
        "faults": [
            {"route": each.route, "kind": each.count.kind, "status": each.count.status, "calls": each.count.calls}
            for each in situation.lately
            if _is_of(each.route, about)
        ],
    }


def _is_of(route: str, about: "Diagnosis") -> bool:
    return route.partition("/")[0] == about.provider


def _fleet_faults(situation: FleetSituation) -> Mapping[str, Fault]:
    """What calls came to on the routes that are down."""
    first = {name: outage.faults[0] for name, outage in situation.outages().items() if outage.faults}
    return {name: fault_of(count) for name, count in first.items()}


def _accepted_lately(installation: Installation) -> Collection[str]:
    from holdfast.lanes.diagnoses import answered_lately  # noqa: PLC0415 - who looks at an ended job needs no Redis

    try:
        return answered_lately(installation.redis.lanes().connection)
    except QueueUnavailable:
        return ()


def _remember(installation: Installation, views: Sequence[Mapping[str, Any]]) -> None:
    from holdfast.lanes.diagnoses import note_diagnosis  # noqa: PLC0415 - who looks at an ended job needs no Redis

    with suppress(QueueUnavailable):
        for view in views:
            kept = {name: view[name] for name in ("provider", "verdict", "sentence", "advice", "at")}
            note_diagnosis(installation.redis.lanes().connection, view["provider"], kept)

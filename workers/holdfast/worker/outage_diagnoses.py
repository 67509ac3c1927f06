"""Diagnoses a provider whose outage lasts, so that whoever waits learns whose fault it is. It costs no tokens."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import structlog

from holdfast.config import Settings
from holdfast.diagnose.checks import Examiner
from holdfast.diagnose.view import diagnosis_view
from holdfast.lanes import BreakerView, Connection, Lanes
from holdfast.lanes.admin import server_time
from holdfast.lanes.diagnoses import answered_lately, claim_diagnosis, note_diagnosis
from holdfast.lanes.recent_faults import recent_faults
from holdfast.model.fault import Fault, FaultKind
from holdfast.policy.outage_sentence import fault_of

log = structlog.get_logger()
LOOK_EVERY = 10.0  # seconds
AFTER = 20.0  # seconds of an outage; most are over sooner
APART = 60.0  # seconds between two diagnoses of a provider, whichever process makes them
LATELY = 120.0  # seconds whose faults tell what calls came to
DOWN = frozenset({"open", "half_open"})


@dataclass(slots=True)
class OutageDiagnoses:
    """``settings`` name the providers; ``connection`` leads to the fleet's breakers and to those who wait."""

    settings: Settings
    connection: Connection

    async def run(self) -> None:
        """Until cancelled: look for outages that last, and diagnose their providers."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            await self.look()

    async def look(self) -> None:
        """Diagnose each provider that is due. Raises QueueUnavailable."""
        down = await asyncio.to_thread(self._lasting)
        due = [name for name in sorted(set(map(provider_of, down))) if name in self.settings.providers]
        for name in due:
            if await asyncio.to_thread(claim_diagnosis, self.connection, name, APART):
                await self._diagnose(name, down)

    def _lasting(self) -> frozenset[str]:
        now = self.connection.ask(server_time)
        return frozenset(each.scope for each in Lanes(self.connection).snapshot().breakers if lasts(each, now))

    async def _diagnose(self, name: str, down: Collection[str]) -> None:
        faults, accepted = await asyncio.to_thread(self.evidence, down)
        examiner = Examiner(self.settings, with_calls=False, accepted_lately=accepted, fleet_faults=faults)
        (found,) = await examiner.examine([name])
        await asyncio.to_thread(note_diagnosis, self.connection, name, diagnosis_view(found))
        log.info("outage_diagnosed", provider=name, verdict=found.diagnosis.verdict, why=found.diagnosis.sentence)

    def evidence(self, down: Collection[str]) -> tuple[Mapping[str, Fault], Collection[str]]:
        """Return the most frequent fault of each route that is down, and the credentials that were accepted lately.

        What this side broke off by itself says nothing of a provider.
        """
        counted = [each for each in recent_faults(self.connection, LATELY) if each.count.kind != FaultKind.INTERNAL]
        faults = {each.route: fault_of(each.count) for each in reversed(counted) if is_down(each.route, down)}
        return faults, answered_lately(self.connection)


def lasts(breaker: BreakerView, now: float) -> bool:
    """Whether a breaker has been open for so long that a diagnosis is worth its while."""
    return breaker.state in DOWN and breaker.since is not None and breaker.since <= now - AFTER


def provider_of(scope: str) -> str:
    """Name the provider of a breaker's scope.

    >>> provider_of("route:anthropic/claude"), provider_of("endpoint:openai")
    ('anthropic', 'openai')
    """
    return scope.partition(":")[2].partition("/")[0]


def is_down(route: str, down: Collection[str]) -> bool:
    """Whether a breaker of ``down`` stands in the way of a route: its own, or one of its whole provider.

    >>> [is_down("a/m", {scope}) for scope in ("route:a/m", "route:a/n", "endpoint:a", "credential:a/main")]
    [True, False, True, True]
    """
    wide = (scope for scope in down if not scope.startswith("route:"))
    return f"route:{route}" in down or route.partition("/")[0] in map(provider_of, wide)

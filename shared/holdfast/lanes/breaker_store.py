"""Breakers as Redis holds them: observations folded by policy, written by compare-and-set on a version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.lanes.lua import flat, unflat
from holdfast.lanes.script_client import ScriptClient
from holdfast.model.job import Permit
from holdfast.policy.backoff import Uniform
from holdfast.policy.breaker import record
from holdfast.policy.breaker_codec import dump, parse
from holdfast.policy.breaker_rules import RulesOf
from holdfast.policy.breaker_state import Breaker
from holdfast.policy.outcome_signals import reports_auth
from holdfast.policy.signals import Observation, ScopeKind, Signal, scope_kind
from holdfast.telemetry.event_logger import event_logger

log = event_logger(__name__)

CONFLICTS = 50  # times that other processes may move a breaker while we try to
NO_CALLS = (0, 0)  # settle.lua's arguments where only breakers are told something
NO_EVIDENCE = (0, 0)  # and where nobody replied or failed


@dataclass(frozen=True, slots=True)
class KnownBreaker:
    """A breaker as Redis last told it. Version 0: Redis has none."""

    version: int
    breaker: Breaker


@dataclass(frozen=True, slots=True)
class BreakerUpdate:
    """What one breaker becomes: ``fields`` are empty when it stays as it is."""

    scope: str
    version: int
    breaker: Breaker
    fields: Mapping[str, str]
    before: Breaker

    @property
    def changes_state(self) -> bool:
        """Whether it comes into another state."""
        return self.breaker.epoch != self.before.epoch

    def arguments(self) -> list[str | int]:
        """Return the part of settle.lua's arguments for this breaker."""
        return [self.scope, self.version, 2 * len(self.fields), *flat(self.fields)]


class BreakerStore:
    """What this process last saw of each breaker, so that most signals cost no read."""

    def __init__(self, scripts: ScriptClient, rules: RulesOf, uniform: Uniform) -> None:
        self._scripts, self._rules, self._uniform = scripts, rules, uniform
        self._known: dict[str, KnownBreaker] = {}

    async def settle(
        self,
        worker: str,
        arguments: Sequence[Any],
        observations: Mapping[str, Sequence[Observation]],
        evidence: Sequence[Any] = NO_EVIDENCE,
    ) -> dict[str, int]:
        """Run settle.lua for calls of ``worker``, and again for breakers that somebody else moved meanwhile.

        ``arguments``: the calls, and the jobs that go back to their lanes. ``evidence``: who replied, and who failed.
        Returns permits ever given, by bucket.
        """
        taken: dict[str, int] = {}
        for _ in range(CONFLICTS):
            updates = [self._fold(scope, seen) for scope, seen in observations.items()]
            conflicts, given = await self._run(worker, arguments, updates, evidence)
            taken |= given
            self._note(updates, conflicts)
            if not conflicts:
                break
            observations, arguments = {scope: observations[scope] for scope in conflicts}, NO_CALLS
            evidence = NO_EVIDENCE
        return taken

    async def _run(
        self, worker: str, arguments: Sequence[Any], updates: Sequence[BreakerUpdate], evidence: Sequence[Any]
    ) -> tuple[dict[str, KnownBreaker], dict[str, int]]:
        """What settle.lua answers: breakers of which it found another version, and permits ever given, by bucket."""
        told = [text for update in updates for text in update.arguments()]
        now, _, conflicts, taken = await self._scripts.run_for(
            worker, "settle", [worker, *arguments, len(updates), *told, *evidence]
        )
        self._scripts.saw_time(now)
        found = {scope: KnownBreaker(int(version), _readable(fields)) for scope, version, fields in conflicts}
        return found, unflat(taken)

    def _note(self, updates: Sequence[BreakerUpdate], conflicts: Mapping[str, KnownBreaker]) -> None:
        """Remember what Redis holds now; log each change of state, which this process alone made."""
        written = [update for update in updates if update.fields and update.scope not in conflicts]
        self._known |= {each.scope: KnownBreaker(each.version + 1, each.breaker) for each in written}
        self._known |= conflicts
        for update in written:
            if update.changes_state:
                before, after = dump(update.before)["state"], update.fields["state"]
                at = round(self._scripts.now(), 3)
                log.info("breaker_moved", breaker=update.scope, before=before, state=after, at=at)

    def _fold(self, scope: str, observations: Sequence[Observation]) -> BreakerUpdate:
        known = self._known.get(scope, KnownBreaker(0, Breaker()))
        rules, breaker = self._rules(scope), known.breaker
        for each in observations:
            breaker = record(breaker, each, rules, self._uniform)
        fields = {} if breaker is known.breaker else dump(breaker)
        return BreakerUpdate(scope, known.version, breaker, fields, known.breaker)


def add_signals(
    observations: dict[str, list[Observation]],
    permit: Permit,
    signals: Mapping[ScopeKind, Signal],
    at: float,
    *,
    job: str = "",
    reporter: str = "",
    seconds: float = 0.0,
    replied: float | None = None,
) -> None:
    """Add what one call says to what its breakers record. Nothing said about a probe frees its place.

    ``job``: whose doing it may be; "": nobody's in particular. ``seconds``: how long the call took. ``replied``: when
    the latest call that brought a reply was sent there. The endpoint's breaker alone records which credential was let
    in or refused.
    """
    for scope, epoch in permit.epochs.items():
        kind = scope_kind(scope)
        signal = signals.get(kind, Signal.NONE)
        if permit.probe or signal is not Signal.NONE:
            credential = permit.credential if kind is ScopeKind.ENDPOINT and reports_auth(signals) else ""
            observations.setdefault(scope, []).append(
                Observation(at, epoch, signal, reporter, credential, at - seconds, job, replied)
            )


def _readable(texts: Sequence[str]) -> Breaker:
    """Read a breaker; what nobody of us wrote records nothing, and the gate refuses it."""
    try:
        return parse(unflat(texts))
    except (ValueError, KeyError):
        return Breaker(epoch=-1)

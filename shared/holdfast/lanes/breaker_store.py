"""Breakers as Redis holds them: observations folded by policy, written by compare-and-set on a version."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from holdfast.model.job import Permit
from holdfast.policy.backoff import Uniform
from holdfast.policy.breaker import Breaker, record
from holdfast.policy.breaker_codec import dump, parse
from holdfast.policy.breaker_rules import RulesOf, default_rules
from holdfast.policy.outcome_signals import reports_auth
from holdfast.policy.signals import Observation, ScopeKind, Signal, scope_kind

log = structlog.get_logger(__name__)


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
        flat = [text for pair in self.fields.items() for text in pair]
        return [self.scope, self.version, len(flat), *flat]


class BreakerStore:
    """What this process last saw of each breaker, so that most signals cost no read."""

    def __init__(self, rules: RulesOf = default_rules, uniform: Uniform = random.uniform) -> None:
        self._rules, self._uniform = rules, uniform
        self._seen: dict[str, KnownBreaker] = {}

    def fold(self, observations: Mapping[str, Sequence[Observation]]) -> list[BreakerUpdate]:
        """Record each breaker's observations in order. Writes nothing by itself: ``moved`` or ``corrected`` follow."""
        return [self._fold(scope, signals) for scope, signals in observations.items()]

    def moved(self, updates: Iterable[BreakerUpdate]) -> None:
        """Redis took these updates."""
        for update in updates:
            if update.fields:
                self._seen[update.scope] = KnownBreaker(update.version + 1, update.breaker)

    def corrected(self, scope: str, version: str, fields: Sequence[str]) -> None:
        """Redis holds another version; ``fields`` are field, value, field, value …"""
        try:
            breaker = parse(dict(zip(fields[::2], fields[1::2], strict=True)))
        except (ValueError, KeyError):
            breaker = Breaker(epoch=-1)  # nobody's: it records nothing, and the gate refuses what it cannot read
        self._seen[scope] = KnownBreaker(int(version), breaker)

    def _fold(self, scope: str, signals: Sequence[Observation]) -> BreakerUpdate:
        seen = self._seen.get(scope, KnownBreaker(0, Breaker()))
        rules, breaker = self._rules(scope), seen.breaker
        for signal in signals:
            breaker = record(breaker, signal, rules, self._uniform)
        fields = {} if breaker is seen.breaker else dump(breaker)
        return BreakerUpdate(scope, seen.version, breaker, fields, seen.breaker)


def log_state_changes(updates: Iterable[BreakerUpdate], at: float) -> None:
    """Log every turn of a breaker; the one process that moved it does."""
    for update in updates:
        if update.changes_state:
            before, now = dump(update.before)["state"], update.fields["state"]
            log.info("breaker_moved", breaker=update.scope, before=before, state=now, at=round(at, 3))


def add_signals(
    observations: dict[str, list[Observation]],
    permit: Permit,
    signals: Mapping[ScopeKind, Signal],
    at: float,
    *,
    reporter: str = "",
    seconds: float = 0.0,
) -> None:
    """Add what one call says to what its breakers record. Nothing said about a probe frees its place.

    ``seconds``: how long the call took. The endpoint's breaker alone records which credential was let in or refused.
    """
    for scope, epoch in permit.epochs.items():
        kind = scope_kind(scope)
        signal = signals.get(kind, Signal.NONE)
        if permit.probe or signal is not Signal.NONE:
            credential = permit.credential if kind is ScopeKind.ENDPOINT and reports_auth(signals) else ""
            observations.setdefault(scope, []).append(
                Observation(at, epoch, signal, reporter, credential, at - seconds)
            )

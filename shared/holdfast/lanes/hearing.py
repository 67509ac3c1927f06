"""Breakers hear verdicts: many at once, folded by policy, written by compare-and-set on a version."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from holdfast.model.job import Permit
from holdfast.policy.backoff import Uniform
from holdfast.policy.breaker import Breaker, hear
from holdfast.policy.breaker_fields import dump, parse
from holdfast.policy.report import speaks_of_login
from holdfast.policy.rules import RULES, Rules
from holdfast.policy.verdict import Heard, ScopeKind, Verdict, scope_kind

log = structlog.get_logger(__name__)
RulesOf = Callable[[str], Rules]


def default_rules(scope: str) -> Rules:
    """What goes for a gate that nobody told its plans: everything has an alternative."""
    return RULES[scope_kind(scope)]


@dataclass(frozen=True, slots=True)
class Seen:
    """A breaker as Redis last told it. Version 0: Redis has none."""

    version: int
    breaker: Breaker


@dataclass(frozen=True, slots=True)
class Move:
    """What one breaker becomes: ``fields`` are empty when it stays as it is."""

    scope: str
    version: int
    breaker: Breaker
    fields: Mapping[str, str]
    before: Breaker

    @property
    def turns(self) -> bool:
        """Whether it comes into another state."""
        return self.breaker.epoch != self.before.epoch

    def arguments(self) -> list[str | int]:
        """Return the part of settle.lua's arguments for this breaker."""
        flat = [text for pair in self.fields.items() for text in pair]
        return [self.scope, self.version, len(flat), *flat]


class Hearing:
    """What this process last saw of each breaker, so that most verdicts cost no read."""

    def __init__(self, rules: RulesOf = default_rules, uniform: Uniform = random.uniform) -> None:
        self._rules, self._uniform = rules, uniform
        self._seen: dict[str, Seen] = {}

    def fold(self, heard: Mapping[str, Sequence[Heard]]) -> list[Move]:
        """Let each breaker hear its verdicts in order. Moves nothing by itself: ``moved`` or ``corrected`` follow."""
        return [self._fold(scope, verdicts) for scope, verdicts in heard.items()]

    def moved(self, moves: Iterable[Move]) -> None:
        """Redis took these moves."""
        for move in moves:
            if move.fields:
                self._seen[move.scope] = Seen(move.version + 1, move.breaker)

    def corrected(self, scope: str, version: str, fields: Sequence[str]) -> None:
        """Redis holds another version; ``fields`` are field, value, field, value …"""
        try:
            breaker = parse(dict(zip(fields[::2], fields[1::2], strict=True)))
        except (ValueError, KeyError):
            breaker = Breaker(epoch=-1)  # nobody's: it hears nothing, and the gate refuses what it cannot read
        self._seen[scope] = Seen(int(version), breaker)

    def _fold(self, scope: str, verdicts: Sequence[Heard]) -> Move:
        seen = self._seen.get(scope, Seen(0, Breaker()))
        rules, breaker = self._rules(scope), seen.breaker
        for verdict in verdicts:
            breaker = hear(breaker, verdict, rules, self._uniform)
        fields = {} if breaker is seen.breaker else dump(breaker)
        return Move(scope, seen.version, breaker, fields, seen.breaker)


def say_turns(moves: Iterable[Move], at: float) -> None:
    """Log every turn of a breaker; the one process that moved it does."""
    for move in moves:
        if move.turns:
            before, now = dump(move.before)["state"], move.fields["state"]
            log.info("breaker_moved", breaker=move.scope, before=before, state=now, at=round(at, 3))


def add_verdicts(
    heard: dict[str, list[Heard]],
    permit: Permit,
    verdicts: Mapping[ScopeKind, Verdict],
    at: float,
    *,
    witness: str = "",
    seconds: float = 0.0,
) -> None:
    """Add what one call says to what its breakers will hear. Nothing said about a probe frees its place.

    ``seconds``: how long the call took. The endpoint's breaker alone hears which credential was let in or refused.
    """
    for scope, epoch in permit.epochs.items():
        kind = scope_kind(scope)
        verdict = verdicts.get(kind, Verdict.NOTHING)
        if permit.probe or verdict is not Verdict.NOTHING:
            credential = permit.credential if kind is ScopeKind.ENDPOINT and speaks_of_login(verdicts) else ""
            heard.setdefault(scope, []).append(Heard(at, epoch, verdict, witness, credential, at - seconds))

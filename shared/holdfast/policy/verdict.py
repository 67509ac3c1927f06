"""Is it us or a provider, and since when: one verdict and one sentence from what is known at one moment. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from holdfast.model.fault import FaultKind
from holdfast.policy.fault_rules import FAULT_RULES, Scope
from holdfast.policy.outage_sentence import Outage, outage_sentence


class HealthState(StrEnum):
    """Whose fault it is that jobs wait."""

    HEALTHY = "healthy"  # nobody's: every route takes calls
    RECOVERING = "recovering"  # nobody's any more: a route that was down is let in step by step
    PROVIDER = "provider"  # a provider's: its routes are down
    US = "us"  # this installation's: its storage, its workers, its keys, its money, or its operator


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known. Each text is a sentence without its full stop; ``None`` and empty: no such trouble.

    ``workers_gone_at``: when the last worker ended, in seconds since the epoch.
    ``auth_outages``: providers whose logins are out, so that a refused key is their fault and not ours.
    """

    storage: str | None = None
    redis: str | None = None
    ledger_broken: bool = False
    has_workers: bool = True
    workers_gone_at: float | None = None
    waiting: int = 0
    unusable: Sequence[str] = ()
    outages: Sequence[Outage] = ()
    recovering: Sequence[str] = ()
    paused: Sequence[str] = ()
    auth_outages: Collection[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class HealthSummary:
    """``cause`` is one word for programs. ``since``: in seconds since the epoch; None where nobody knows."""

    state: HealthState
    cause: str
    sentence: str
    since: float | None = None


def verdict(now: Situation) -> HealthSummary:
    """Judge a situation: what is broken here comes first, for nothing else can be trusted while it is."""
    return _broken_here(now) or _outage(now) or _stopped(now) or _well(now)


def _broken_here(now: Situation) -> HealthSummary | None:
    if now.storage is not None:
        return _us("storage", f"the database does not answer ({now.storage}); nothing can be accepted until it does")
    if now.ledger_broken:
        return _us("ledger", "the books do not balance: `holdfast ledger` names the jobs; report it")
    if now.redis is not None:
        return _us("redis", now.redis.rstrip("."))
    if not now.has_workers and now.waiting:
        what = f"no worker runs, and {_jobs(now.waiting)}; start one with `holdfast worker`"
        return _us("no_worker", what, now.workers_gone_at)
    if now.unusable:
        return _us("no_key", now.unusable[0].rstrip("."))
    return None


def _outage(now: Situation) -> HealthSummary | None:
    if not now.outages:
        return None
    worst = min(now.outages, key=lambda outage: _urgency(outage, now))
    ours = is_ours(worst, now.auth_outages)
    since = min((each.since for each in now.outages if each.since is not None), default=None)
    others = [each.route for each in now.outages if each is not worst]
    who = "It is us" if ours else "It is a provider, not us"
    cause = "stopped" if worst.again is None and not worst.faults else "key" if ours else "outage"
    return HealthSummary(
        HealthState.US if ours else HealthState.PROVIDER, cause, f"{who}: {outage_sentence(worst, others)}.", since
    )


def _urgency(outage: Outage, now: Situation) -> tuple[bool, bool, float]:
    """Order outages: those that hold jobs up first, of these those that somebody here can end, then the oldest."""
    return bool(outage.elsewhere), not is_ours(outage, now.auth_outages), outage.since or float("inf")


def is_ours(outage: Outage, auth_outages: Collection[str]) -> bool:
    """Tell whether an outage is one of our keys, our money, our clock, or our operator's will."""
    if not outage.faults:
        return outage.again is None
    kind = outage.faults[0].kind
    if kind == FaultKind.AUTH and outage.route.partition("/")[0] in auth_outages:
        return False
    return kind in set(FaultKind) and FAULT_RULES[FaultKind(kind)].scope in {Scope.CREDENTIAL, Scope.US}


def _stopped(now: Situation) -> HealthSummary | None:
    return _us("paused", now.paused[0]) if now.paused else None


def _well(now: Situation) -> HealthSummary:
    waiting = _jobs(now.waiting) if now.waiting else "nothing waits"
    if now.recovering:
        routes = " and ".join(now.recovering)
        again, get = ("answer", "get") if len(now.recovering) > 1 else ("answers", "gets")
        return HealthSummary(
            HealthState.RECOVERING,
            "ramp",
            f"{routes} {again} again and {get} calls step by step; {waiting}. Nothing to do.",
        )
    return HealthSummary(HealthState.HEALTHY, "well", f"All is well: every route takes calls; {waiting}.")


def _us(cause: str, what: str, since: float | None = None) -> HealthSummary:
    return HealthSummary(HealthState.US, cause, f"It is us: {what}.", since)


def _jobs(count: int) -> str:
    return "1 job waits" if count == 1 else f"{count:,} jobs wait"

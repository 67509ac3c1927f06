"""An outage told in one sentence, the same wherever somebody waits. Pure: the one place that words it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from holdfast.model.durations import lasting
from holdfast.model.fault import Fault, FaultKind
from holdfast.policy.fault_rules import FAULT_RULES, Scope, kind_words


@dataclass(frozen=True, slots=True)
class FaultCount:
    """So many calls ended with one kind of fault and one HTTP status."""

    kind: str
    status: int | None
    calls: int


@dataclass(frozen=True, slots=True)
class Outage:
    """A route that takes no calls, or one that is asked whether it does.

    ``since``: when it began, in seconds since the epoch; None where nobody knows. ``again``: seconds until it is asked
    next; 0: a call is under way, or ``due``: the next job asks it; None: an operator decides. ``faults``: what came
    back, the newest first, others by how often. ``elsewhere``: routes that take its jobs meanwhile. ``waiting``: jobs
    that wait for it; None: how many is not told.
    """

    route: str
    since: float | None
    again: float | None
    faults: Sequence[FaultCount] = ()
    elsewhere: Sequence[str] = ()
    waiting: int | None = 0
    due: bool = False


def fault_of(count: FaultCount) -> Fault:
    """Make a fault of what was counted; a kind that this version does not know is the server's."""
    known = count.kind in set(FaultKind)
    return Fault(FaultKind(count.kind) if known else FaultKind.SERVER_ERROR, status=count.status)


def outage_sentence(outage: Outage, others: Sequence[str] = ()) -> str:
    """Say who is down since when with which answer and how often, what is next, who waits, and what is to be done.

    ``others``: routes that are down as well.

    >>> outage_sentence(Outage("a/m", 1_790_000_000.0, 3.0, [FaultCount("server_error", 503, 21)], waiting=397))
    'a/m is down since 14:13 UTC (HTTP 503, 21 calls); asked again in 3 s; 397 jobs wait safely; nothing to do'
    """
    since = "" if outage.since is None else f" since {datetime.fromtimestamp(outage.since, UTC):%H:%M} UTC"
    cause = f" ({_cause(outage.faults)})" if outage.faults else ""
    down = [f"{' and '.join(others)} {'is' if len(others) == 1 else 'are'} down too"] if others else []
    told = [f"{outage.route} is down{since}{cause}", _next(outage), *down, _waiting(outage), _to_do(outage.faults)]
    return "; ".join(told)


def _cause(faults: Sequence[FaultCount]) -> str:
    found: dict[str, int] = {}
    for fault in faults:
        found[_told(fault)] = found.get(_told(fault), 0) + fault.calls
    if len(found) > 1:
        return ", before ".join(f"{what} in {calls:,}" for what, calls in found.items()) + " calls"
    [(what, calls)] = found.items()
    return f"{what}, {calls:,} {'call' if calls == 1 else 'calls'}"


def _told(fault: FaultCount) -> str:
    has_status = fault.status is not None and fault.status != 200  # noqa: PLR2004  HTTP's own number
    return f"HTTP {fault.status}" if has_status else kind_words(fault.kind)


def _next(outage: Outage) -> str:
    if outage.again is None:
        return "an operator stopped it"
    if outage.due:
        return "the next job asks it"
    return f"asked again in {lasting(outage.again)}" if outage.again > 0 else "being asked now"


def _waiting(outage: Outage) -> str:
    if outage.elsewhere:
        return f"its jobs go to {' or '.join(outage.elsewhere)}"
    if outage.waiting is None:
        return "its jobs wait safely"
    if outage.waiting == 1:
        return "1 job waits safely"
    return f"{outage.waiting:,} jobs wait safely"


def _to_do(faults: Sequence[FaultCount]) -> str:
    return needed_act(faults) or "nothing to do"


def needed_act(faults: Sequence[FaultCount]) -> str | None:
    """Say what a person has to do about an outage that ends in no other way; None: it mends itself."""
    rules = [FAULT_RULES[FaultKind(fault.kind)] for fault in faults[:1] if fault.kind in set(FaultKind)]
    for rule in rules:
        if rule.snoozes and not rule.waits and rule.scope is not Scope.US:
            return rule.advice  # a key, money, a name: it does not mend itself
    return None

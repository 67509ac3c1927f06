"""Which waiting job gets which permit. The gate's ``fetch.lua`` is a fast copy of this rule and is tested against it.

A lane's window is looked through from its head. A job gets the first target of its plan that admits it: a route that it
need not avoid, the yes of three breakers, a free slot, and units for its own estimate in every dimension of the bucket.
A job that no target admits is passed over and keeps its place. Once a bucket is too low for one job no later job of the
same fetch takes from it: small jobs must not starve a large one. Where only a rate that nobody has ever refused holds a
target's bucket back, a job waits for its turn there for a moment before it takes the next route: such a rate grows
fast. A job whose probe failed probes again only where no other job of the window can: one job's trouble must not pass
for its route's.

No clock and no Redis: ``now`` is seconds on Redis's clock, and what changes is returned.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import floor, inf
from operator import itemgetter
from types import MappingProxyType
from typing import Generic, NamedTuple, TypeVar

from holdfast.model.call_result import Dimension
from holdfast.model.job import Need
from holdfast.policy import breaker as breakers
from holdfast.policy import rate_limit
from holdfast.policy.breaker import Refusal
from holdfast.policy.breaker_state import Breaker, HalfOpen
from holdfast.policy.probe_order import probe_rank
from holdfast.policy.rate_limit import Allowance, Level, Wait
from holdfast.policy.targets import Target

J = TypeVar("J")

LOOK = 64  # jobs that may be passed over in one fetch
POLL = 0.1  # seconds: what another call's answer may change at any moment is asked for again this soon
MAX_WAIT, INTERACTIVE_MAX_WAIT = 2.0, 0.5  # seconds that a job waits for a rate to grow before it takes the next route
CLOSED = Breaker()
FULL: Mapping[Dimension, Level] = MappingProxyType({})
Guards = Sequence[tuple[str, Breaker]]  # those of a target that are listed, by scope


class Reason(StrEnum):
    """Why the gate gave fewer permits than it was asked for."""

    EMPTY = "empty"  # no more ids in the window
    BREAKER = "breaker"  # no route of the plan takes calls now, or its one probe is under way
    BUCKET = "bucket"  # a rate allowance is used up, or paused after a 429
    SLOTS = "slots"  # as many calls in flight as the route may have
    PAUSED = "paused"  # the operator paused the lane
    AVOIDED = "avoided"  # the jobs that wait must not take the routes that are free
    EPOCH = "epoch"  # Redis knows nothing of us: it is new or was lost; call ``begin``


class BucketState(NamedTuple):
    """A rate allowance at one moment: a dimension without an allowance is unlimited, one without a level is full.

    ``paused_until`` is in seconds; 0: not paused. ``ask_after``: how long it rested last, in seconds, where it asks by
    one call at a time whether a wait is over; else 0. ``grows``: its request limit is one that nobody knows.
    """

    allowances: Mapping[Dimension, Allowance]
    levels: Mapping[Dimension, Level] = FULL
    paused_until: float = 0.0
    ask_after: float = 0.0
    grows: bool = False

    def after(self, levels: Mapping[Dimension, Level], now: float) -> "BucketState":
        """Return the bucket once a call took what leaves ``levels``. One that asks rests again, for longer."""
        if not self.ask_after:
            return self._replace(levels=levels)
        rest = rate_limit.next_rest(self.ask_after)
        return self._replace(levels=levels, paused_until=now + rest, ask_after=rest)


@dataclass(frozen=True, slots=True)
class GateState:
    """What guards the targets of a plan: breakers by scope, buckets by name, calls in flight by route.

    A breaker or route that is not listed is closed and idle.
    """

    breakers: Mapping[str, Breaker]
    buckets: Mapping[str, BucketState]
    in_flight: Mapping[str, int]

    def after(self, grant: "Grant", now: float) -> "GateState":
        """Return the state once ``grant`` is in effect."""
        name, route = grant.target.bucket, grant.target.name
        return GateState(
            {**self.breakers, **grant.probed},
            {**self.buckets, name: self.buckets[name].after(grant.levels, now)},
            {**self.in_flight, route: self.in_flight.get(route, 0) + 1},
        )


class Grant(NamedTuple):
    """A permit for ``target`` and what it takes: ``levels`` and ``probed`` are what its bucket and breakers become.

    ``probed`` lists the breakers whose one probe it is, by scope; empty for an ordinary call.
    """

    target: Target
    costs: Mapping[Dimension, float]
    levels: Mapping[Dimension, Level]
    probed: Mapping[str, Breaker]


class NotAdmitted(NamedTuple):
    """Why a job got no permit. ``retry_in``: seconds until that may change; None where time alone changes nothing.

    ``shut``: no job would be admitted, whatever it needs. ``grows``: only a limit that nobody knows is in the way.
    """

    reason: Reason
    retry_in: float | None
    shut: bool = True
    grows: bool = False


PROBED_BEFORE = NotAdmitted(Reason.BREAKER, POLL, shut=False)


@dataclass(slots=True)
class WindowScan(Generic[J]):
    """One look through a lane's window, from its head. Iterate over it to get each admitted job with its grant.

    ``gate`` is read anew for every job: put each grant into effect there before you ask for the next, and stop when you
    have enough. Afterwards ``passed`` lists the jobs that keep their places, in order, and ``refusal`` tells why the
    first of them got no permit. ``hedged``: second permits for running jobs, which never probe. ``name`` gives the id
    of a job. ``max_wait``: seconds that a job waits at most for its turn at a rate that grows, though a later route of
    its plan may be free. ``admit`` and ``take`` are the breaker's and the bucket's arithmetic; the simulation may put
    others in their place.
    """

    window: Iterable[tuple[J, Need]]
    targets: Sequence[Target]
    gate: GateState
    now: float
    look: int = LOOK
    hedged: bool = False
    name: Callable[[J], str] = str
    admit: Callable[..., tuple[Breaker, breakers.Admission | Refusal]] = breakers.admit
    take: Callable[..., Mapping[Dimension, Level] | Wait] = rate_limit.take
    max_wait: float = 0.0
    passed: list[J] = field(default_factory=list)
    refusal: NotAdmitted | None = None
    _short: dict[str, NotAdmitted] = field(default_factory=dict)  # buckets that were too low for a job of this scan
    _queued: Counter[str] = field(default_factory=Counter)  # jobs of this scan that wait for their turn, by bucket
    _held_back: list[tuple[int, J, Need]] = field(default_factory=list)  # could only probe where they failed: when each

    def __iter__(self) -> Iterator[tuple[J, Grant]]:
        targets = in_turn(self.targets, self.gate.breakers, self.now)
        for job, need in self.window:
            answer = self._place(job, need, targets)
            if isinstance(answer, Grant):
                yield job, answer
                continue
            self.passed.append(job)
            self.refusal = self.refusal or answer
            if answer.shut or len(self.passed) >= self.look:
                break
        for _, job, need in sorted(self._held_back, key=itemgetter(0)):  # who failed longest ago asks again first
            answer = self._place(job, need, targets, last_resort=True)
            if isinstance(answer, Grant):
                self.passed.remove(job)
                yield job, answer

    def _place(
        self, job: J, need: Need, targets: Sequence[Target], *, last_resort: bool = False
    ) -> Grant | NotAdmitted:
        refusals, failed_at, turn = list[NotAdmitted](), -1, None
        for target in targets:
            if turn is not None and target.name != turn.name:
                self._queued[turn.bucket] += 1
                break
            answer = self._ask(target, need)
            place = -1 if last_resort or not isinstance(answer, Grant) else self._place_among_probers(job, answer)
            if place >= 0:
                answer, failed_at = PROBED_BEFORE, place
            if isinstance(answer, Grant):
                return answer
            refusals.append(answer)
            turn = turn or (target if answer.grows and self._due_in(target, answer) <= self.max_wait else None)
        if failed_at >= 0:
            self._held_back.append((failed_at, job, need))
        first = min(refusals, key=lambda each: inf if each.retry_in is None else each.retry_in)
        shut = len(refusals) == len(targets) and all(each.shut for each in refusals)
        return NotAdmitted(first.reason, first.retry_in, shut)

    def _due_in(self, target: Target, refusal: NotAdmitted) -> float:
        """Seconds until one more job has its turn at the target's bucket, behind those that wait for theirs."""
        per_ms = self.gate.buckets[target.bucket].allowances[Dimension.REQUESTS].per_ms
        return (refusal.retry_in or 0.0) + self._queued[target.bucket] / per_ms / 1000

    def _place_among_probers(self, job: J, grant: Grant) -> int:
        """How late the job's probe failed, as its place among those that failed in this outage; -1: it did not."""
        probed = (self.gate.breakers[scope] for scope in grant.probed)
        return max((breakers.place_among_probers(breaker, self.name(job)) for breaker in probed), default=-1)

    def _ask(self, target: Target, need: Need) -> Grant | NotAdmitted:
        until = _avoided_until(need, target) if need.avoid else 0.0
        if until > self.now:
            return NotAdmitted(Reason.AVOIDED, None if until == inf else until - self.now, shut=False)
        short = self._short.get(target.bucket)
        if short is not None and not short.grows:
            return short
        listed = self.gate.breakers
        guards = [(scope, listed[scope]) for scope in target.scopes if scope in listed]
        probed = self._probed(target, guards)
        if isinstance(probed, NotAdmitted):
            return probed
        if self.gate.in_flight.get(target.name, 0) >= _slots(target, guards):
            return NotAdmitted(Reason.SLOTS, POLL)
        if probed and self.hedged:
            return NotAdmitted(Reason.BREAKER, POLL)
        answer = short or self._taken(target, need, probed)
        return answer._replace(grows=False) if isinstance(answer, NotAdmitted) and probed else answer

    def _probed(self, target: Target, guards: Guards) -> Mapping[str, Breaker] | NotAdmitted:
        """What the breakers become that need a probe; or the first that admits no call."""
        probed = {}
        for scope, before in guards:
            after, answer = self.admit(before, self.now, target.probe_rules)
            if isinstance(answer, Refusal):
                return NotAdmitted(Reason.BREAKER, self._retry_in(before, answer))
            if answer.probe:
                probed[scope] = after
        return probed

    def _retry_in(self, breaker: Breaker, refusal: Refusal) -> float | None:
        if refusal.retry_at == inf:
            return None
        left = refusal.retry_at - self.now
        return min(POLL, left) if isinstance(breaker.state, HalfOpen) else left

    def _taken(self, target: Target, need: Need, probed: Mapping[str, Breaker]) -> Grant | NotAdmitted:
        bucket, costs = self.gate.buckets[target.bucket], target.costs(need)
        levels = self.take(bucket.levels, bucket.allowances, costs, self.now * 1000, bucket.paused_until * 1000)
        if isinstance(levels, Wait):
            grows = bucket.grows and not self._lacks_more(bucket, costs)
            refusal = self._short[target.bucket] = NotAdmitted(Reason.BUCKET, levels.ms / 1000, grows=grows)
            return refusal
        return Grant(target, costs, levels, probed)

    def _lacks_more(self, bucket: BucketState, costs: Mapping[Dimension, float]) -> bool:
        """Whether the bucket rests, or has too little of something else than requests."""
        others, until_ms = {**costs, Dimension.REQUESTS: 0.0}, bucket.paused_until * 1000
        return isinstance(self.take(bucket.levels, bucket.allowances, others, self.now * 1000, until_ms), Wait)


def max_wait(*, interactive: bool) -> float:
    """Return the seconds that a job of a lane waits for a rate to grow. Whom somebody waits for waits less."""
    return INTERACTIVE_MAX_WAIT if interactive else MAX_WAIT


def _avoided_until(need: Need, target: Target) -> float:
    """When the job may take the target: it may have to avoid its route, or its credential alone. ``inf``: never."""
    dates = [need.avoid[name] for name in (target.name, target.scopes[1]) if name in need.avoid]
    return max((inf if date is None else date for date in dates), default=0.0)


def _slots(target: Target, guards: Guards) -> float:
    """How many calls the route may have in flight: its own limit, or less while a breaker ramps."""
    most = target.slots
    for _, breaker in guards:
        ramp = breakers.ramp_limit(breaker)
        if ramp is not None:
            most = min(most, max(1, floor(ramp)))
    return most


@dataclass(frozen=True, slots=True)
class Fetch(Generic[J]):
    """Answer to one fetch: ``grants`` in the window's order, ``passed`` keep their places, ``gate`` is what is left.

    ``reason`` is None when as many permits were given as asked for. ``retry_in`` is in seconds, until the earliest
    thing that could admit the first waiting job; None when only a hint or an operator can change it.
    """

    grants: Sequence[tuple[J, Grant]]
    passed: Sequence[J]
    reason: Reason | None
    retry_in: float | None
    gate: GateState


def fetch(
    window: Iterable[tuple[J, Need]],
    targets: Sequence[Target],
    gate: GateState,
    now: float,
    n: int,
    *,
    look: int = LOOK,
    max_wait: float = 0.0,
) -> Fetch[J]:
    """Give up to ``n`` >= 1 jobs of ``window`` a permit each. At most ``look`` jobs are passed over."""
    scan, grants = WindowScan(window, targets, gate, now, look, max_wait=max_wait), list[tuple[J, Grant]]()
    for job, grant in scan:
        grants.append((job, grant))
        scan.gate = scan.gate.after(grant, now)
        if len(grants) == n:
            return Fetch(grants, scan.passed, None, None, scan.gate)
    why = scan.refusal or NotAdmitted(Reason.EMPTY, None)
    return Fetch(grants, scan.passed, why.reason, why.retry_in, scan.gate)


def in_turn(targets: Sequence[Target], breakers_by_scope: Mapping[str, Breaker], now: float) -> Sequence[Target]:
    """Return the targets as they are offered a job: in the plan's order, credentials of a route by ``probe_rank``."""
    if len({target.name for target in targets}) == len(targets):
        return targets
    names = [target.name for target in targets]

    def key(target: Target) -> tuple[int, float]:
        _, credential, endpoint = (breakers_by_scope.get(scope, CLOSED) for scope in target.scopes)
        return names.index(target.name), probe_rank(credential, endpoint, now)

    return sorted(targets, key=key)


def share_left(levels: Mapping[Dimension, Level], allowances: Mapping[Dimension, Allowance]) -> float:
    """Return the share of its capacity that a bucket has left, in its emptiest dimension; 1 where it is unlimited."""
    return min([levels[each].units / allowance.capacity for each, allowance in allowances.items()], default=1.0)

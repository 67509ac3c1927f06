"""How jobs have flowed lately: samples of the fleet's counters, from which rates and the picture are made. Pure."""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from holdfast.client.overview import Overview
from holdfast.model.fault import FaultKind
from holdfast.model.job import Outcome, State

SAMPLE = 5.0  # seconds between two samples, as long as a slot of the store's pace
KEPT = 180  # samples: a quarter of an hour
FAILED = (State.DEAD, State.EXPIRED)


@dataclass(frozen=True, slots=True)
class FlowSample:
    """Counters at one moment: all but ``waiting`` and ``down`` only grow. ``known``: False where only ``done`` is."""

    at: float
    done: int
    accepted: int = 0
    failed: int = 0
    retries: int = 0
    reroutes: int = 0
    waiting: int = 0
    cost: float = 0.0
    calls: Mapping[str, int] = field(default_factory=dict)
    answered: Mapping[str, int] = field(default_factory=dict)
    micros: Mapping[str, int] = field(default_factory=dict)
    faults: Mapping[tuple[str, str], int] = field(default_factory=dict)
    down: frozenset[str] = frozenset()
    known: bool = True


@dataclass(frozen=True, slots=True)
class FlowSpan:
    """What happened between two samples, per second."""

    begin: float
    end: float
    done: float
    accepted: float
    retries: float
    reroutes: float
    waiting: int
    down: bool
    known: bool


@dataclass(frozen=True, slots=True)
class RouteFlow:
    """A route in the last minute. ``share``: of all calls; ``seconds``: a mean call took; None: there was none.

    ``faults``: how many calls failed, by kind, most frequent first.
    """

    calls: int
    share: float
    seconds: float | None
    faults: Sequence[tuple[str, int]]


class FlowHistory:
    """The samples of a quarter of an hour. Belongs to one event loop, or to whoever locks it."""

    def __init__(self) -> None:
        self._samples: deque[FlowSample] = deque(maxlen=KEPT)
        self._newest: FlowSample | None = None
        self.last_faults: dict[str, tuple[str, float]] = {}

    def __bool__(self) -> bool:
        return bool(self._samples)

    def backfill(self, now: float, done: int, paces: Mapping[str, Sequence[tuple[float, int]]]) -> None:
        """Begin with what the store still knows from before this process: how many jobs ended in each slot of time."""
        slots: Counter[float] = Counter()
        for lane in paces.values():
            for age, ended in lane:
                slots[(age // SAMPLE + 1) * SAMPLE] += ended
        left = done
        found = [FlowSample(now, done, known=False)]
        for age in range(int(SAMPLE), int(max(slots, default=0) + 2 * SAMPLE), int(SAMPLE)):
            left -= slots[float(age)]
            found.append(FlowSample(now - age, left, known=False))
        self._samples.extend(reversed(found[:KEPT]))

    def add(self, sample: FlowSample) -> None:
        """Note how things stand; it is kept when the last that was kept is old enough."""
        before = self._newest or (self._samples[-1] if self._samples else None)
        if before is not None and before.known:
            for key, count in sample.faults.items():
                if count > before.faults.get(key, 0):
                    self.last_faults[key[0]] = (key[1], sample.at)
            for route, answered in sample.answered.items():
                if answered > before.answered.get(route, 0):
                    self.last_faults[route] = ("", sample.at)
        self._newest = sample
        if not self._samples or sample.at - self._samples[-1].at >= SAMPLE or not self._samples[-1].known:
            self._samples.append(sample)

    @property
    def newest(self) -> FlowSample:
        assert self._newest is not None
        return self._newest

    def since(self, seconds: float) -> FlowSample:
        """The oldest full sample that is no older than ``seconds``."""
        known = (each for each in self._samples if each.known and each.at >= self.newest.at - seconds - SAMPLE)
        return next(known, self.newest)

    def rate(self, name: str, seconds: float = 60.0) -> float:
        """Return how fast a counter grew in the last ``seconds``, per second; 0 where nothing is known yet."""
        then = self.since(seconds)
        passed = self.newest.at - then.at
        return float(getattr(self.newest, name) - getattr(then, name)) / passed if passed > 0 else 0.0

    def route(self, name: str, seconds: float = 60.0) -> RouteFlow:
        """Tell what a route did in the last ``seconds``."""
        now, then = self.newest, self.since(seconds)
        calls = now.calls.get(name, 0) - then.calls.get(name, 0)
        every = sum(now.calls.values()) - sum(then.calls.values())
        micros = now.micros.get(name, 0) - then.micros.get(name, 0)
        faults = Counter({
            kind: count - then.faults.get((route, kind), 0)
            for (route, kind), count in now.faults.items()
            if route == name
        })  # fmt: skip
        return RouteFlow(
            calls=calls,
            share=calls / every if every else 0.0,
            seconds=micros / calls / 1e6 if calls else None,
            faults=[(kind, count) for kind, count in faults.most_common() if count > 0],
        )

    def spans(self) -> list[FlowSpan]:
        """What happened from sample to sample, oldest first."""
        samples = [*self._samples, *([self.newest] if self._newest and self._newest is not self._samples[-1] else [])]
        return [_span(before, after) for before, after in pairwise(samples) if after.at > before.at]


def _span(before: FlowSample, after: FlowSample) -> FlowSpan:
    seconds, known = after.at - before.at, before.known and after.known
    grown = {
        name: max(0, getattr(after, name) - getattr(before, name)) / seconds
        for name in ("done", "accepted", "retries", "reroutes")
    }
    return FlowSpan(before.at, after.at, **grown, waiting=after.waiting, down=bool(after.down), known=known)


def sample_of(now: Overview) -> FlowSample:
    """Take from a look what the history keeps."""
    ended: Counter[str] = Counter()
    for (_, outcome), jobs in now.counters.of("jobs").items():
        ended[outcome] += jobs
    calls: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    for (route, outcome), count in now.counters.of("calls").items():
        calls[route] += count if outcome != Outcome.ABANDONED else 0  # which never left
        answered[route] += count if outcome == Outcome.SUCCEEDED else 0
    return FlowSample(
        at=now.at,
        done=ended.total(),
        accepted=now.books.accepted,
        failed=sum(ended[state] for state in FAILED),
        retries=sum(now.counters.of("retries").values()),
        reroutes=sum(now.counters.of("reroutes").values()),
        waiting=now.waiting,
        cost=now.cost,
        calls=calls,
        answered=answered,
        micros={route: micros for (route,), micros in now.counters.of("call_micros").items()},
        faults={
            (route, fault): count
            for (route, fault), count in now.counters.of("faults").items()
            if fault != FaultKind.INTERNAL  # broken off by this side: it says nothing of the route
        },
        down=frozenset(route.state.route.name for route in now.routes if route.outage is not None),
    )

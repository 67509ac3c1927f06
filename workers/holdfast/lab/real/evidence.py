"""What a drill in real time left behind, read from the three ledgers and the workers' logs when it is over.

All times are seconds from its beginning, on the drill's own clock.
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any

import orjson

from holdfast.lab.ledger_audit import WINDOWS, compare, fullest, read_ledgers
from holdfast.lab.local_pool import LocalPool
from holdfast.lab.providers import control
from holdfast.lab.providers.calls import SeenCall
from holdfast.model.ids import public_id
from holdfast.model.job import Outcome, State
from holdfast.model.records import AttemptRecord, JobFilter, JobRecord, LedgerLine
from holdfast.policy.breaker_rules import RULES
from holdfast.policy.fault_rules import FAULT_RULES
from holdfast.policy.signals import ScopeKind
from holdfast.store.jobs import list_jobs
from holdfast.store.ledger import read_ledger

PAGE = 2_000  # calls or jobs that are looked at together
FAILED = frozenset({Outcome.FAILED, Outcome.UNKNOWN})
PROBE_LEASE = RULES[ScopeKind.ROUTE].probe_lease  # seconds

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class BreakerTransition:
    """A breaker came from one state into another."""

    at: float
    scope: str
    before: str
    state: str


def _times() -> "array[float]":
    return array("d")


@dataclass(slots=True)
class DrillEvidence:
    """Bounded by the number of jobs: a few hundred bytes of each.

    ``runs``: begin and end of what ran for a job under one fence. ``on_route`` and ``probes``: begin and end of calls,
    by route; a probe is over with its lease, for then another may be out. ``calls``: arrival, end and status of every
    request, by provider. ``arrivals`` of the first one's: between which moments each came. ``routes``: jobs that each
    did. ``on_the_way``: seconds from the row of a call to its arrival. ``broken``: offenders by sentence.
    """

    accepted: int
    seconds: float = 0.0
    states: Counter[State] = field(default_factory=Counter)
    created: "array[float]" = field(default_factory=_times)
    finished: "array[float]" = field(default_factory=_times)
    done: "array[float]" = field(default_factory=_times)
    took: "array[float]" = field(default_factory=_times)
    first_runs: list[Span] = field(default_factory=list)  # of jobs: when they were accepted, and when first called
    runs: list[Span] = field(default_factory=list)
    on_route: dict[str, list[Span]] = field(default_factory=lambda: defaultdict(list))
    probes: dict[str, list[Span]] = field(default_factory=lambda: defaultdict(list))
    calls: dict[str, list[tuple[float, float, str]]] = field(default_factory=dict)
    arrivals: list[Span] = field(default_factory=list)
    on_the_way: "array[float]" = field(default_factory=_times)
    turns: list[BreakerTransition] = field(default_factory=list)
    routes: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    left: int = 0
    broken: Counter[str] = field(default_factory=Counter)

    @property
    def sent(self) -> int:
        """Requests that providers saw."""
        return sum(map(len, self.calls.values()))


def gather(on: LocalPool, providers: Sequence[str], batch: str, accepted: Sequence[str], began: float) -> DrillEvidence:
    """Read everything. The workers have stopped, the providers still answer."""
    reader = _Reader(on, providers, DrillEvidence(len(accepted)), began)
    reader.read_logs()
    reader.read_calls()
    for start in range(0, len(accepted), PAGE):
        reader.read_attempts(accepted[start : start + PAGE])
    reader.read_jobs(batch)
    reader.read_ledger()
    return reader.found


class _Reader:
    def __init__(self, on: LocalPool, providers: Sequence[str], found: DrillEvidence, began: float) -> None:
        self.on, self.found, self._began = on, found, began
        self.providers = providers
        self._calls: dict[str, list[tuple[str, SeenCall]]] = defaultdict(list)  # by job
        self._probes: dict[tuple[str, str], list[Span]] = defaultdict(list)  # by job and route: known, lease over
        self._first: dict[str, float] = {}

    def read_logs(self) -> None:
        for event in self._events("breaker_moved"):
            self.found.turns.append(
                BreakerTransition(self._at(event["at"]), event["breaker"], event["before"], event["state"])
            )
        self.found.turns.sort(key=lambda turn: turn.at)
        for event in self._events("probe_sent"):
            lease_ends = self._at(event["asked"]) + PROBE_LEASE
            self._probes[event["job"], event["route"]].append((self._at(event["at"]), lease_ends))
        for lent in self._probes.values():
            lent.sort()

    def read_calls(self) -> None:
        """Every provider's log, page by page."""
        for name, sim in zip(self.providers, self.on.sims, strict=True):
            mine = self.found.calls.setdefault(name, [])
            while page := control.page(sim.url, len(mine), PAGE):
                for call in (SeenCall(**raw) for raw in page):
                    mine.append((self._at(call.started), self._at(call.ended or call.started), str(call.status)))
                    if name == self.providers[0]:
                        self.found.arrivals.append((self._at(call.came_after), self._at(call.started)))
                    self._calls[call.tag.split("/")[0]].append((name, call))

    def read_attempts(self, ids: Sequence[str]) -> None:
        """Compare what clients, SQL and providers say of a page of jobs, and count its calls."""
        calls: dict[str, list[SeenCall]] = {name: [] for name in self.providers}
        for job in ids:
            for name, call in self._calls.pop(public_id("job", job), ()):
                calls[name].append(call)
        ledgers = read_ledgers(self.on.store, ids, calls, 0, {}, clock=self.on.clock)
        unheard = sum(attempt.outcome is Outcome.UNKNOWN for attempt in ledgers.attempts.values())
        for line in compare(replace(ledgers, may_repeat=unheard)):
            self._hold(line)
        arrived = {call.tag: call.started for call in ledgers.all_calls}
        self.found.on_the_way.extend(
            arrived[tag] - attempt.started_at for tag, attempt in ledgers.attempts.items() if tag in arrived
        )
        self._count_runs(ledgers.attempts.values())

    def _count_runs(self, attempts: Iterable[AttemptRecord]) -> None:
        runs: dict[tuple[str, int], Span] = {}
        for attempt in sorted(attempts, key=lambda attempt: attempt.started_at):
            begin, end = self._count(attempt)
            known = runs.get((attempt.job, attempt.fence), (begin, end))
            runs[attempt.job, attempt.fence] = (min(begin, known[0]), max(end, known[1]))
            self._first[attempt.job] = min(begin, self._first.get(attempt.job, begin))
        self.found.runs += runs.values()

    def _count(self, attempt: AttemptRecord) -> Span:
        found, begin = self.found, self._at(attempt.started_at)
        end = self._at(attempt.ended_at or attempt.started_at)
        found.on_route[attempt.route].append((begin, end))
        found.routes[attempt.route] += attempt.outcome is Outcome.SUCCEEDED
        found.failed += attempt.outcome in FAILED
        found.left += attempt.fault is not None and FAULT_RULES[attempt.fault].given_up
        lent = self._probes.get((attempt.job, attempt.route))
        if lent and lent[0][0] <= begin:  # its first call after it was lent the probe
            at, lease_ends = lent.pop(0)
            found.probes[attempt.route].append((at, min(end, lease_ends)))
        return begin, end

    def read_jobs(self, batch: str) -> None:
        cursor: str | None = None
        while page := self.on.store.read(list_jobs, JobFilter(batch=batch), PAGE, cursor):
            for job in page:
                self._count_job(job)
            cursor = page[-1].id

    def _count_job(self, job: JobRecord) -> None:
        found, created = self.found, self._at(job.created_at)
        found.states[job.state] += 1
        found.created.append(created)
        if job.id in self._first:
            found.first_runs.append((created, self._first[job.id]))
        if job.finished_at is None:
            return
        finished = self._at(job.finished_at)
        found.finished.append(finished)
        found.seconds = max(found.seconds, finished)
        if job.state is State.SUCCEEDED:
            found.done.append(finished)
            found.took.append(finished - created)

    def read_ledger(self) -> None:
        for line in self.on.store.read(read_ledger):
            self._hold(line)
        self._hold_windows()

    def _hold_windows(self) -> None:
        """I6, for the first provider: the one whose limit is known. The others have none."""
        settings = self.on.sims[0].settings
        spans = sorted(self.found.arrivals, key=itemgetter(1))
        for width in WINDOWS if settings.rate and spans else ():
            if fullest(spans, width)[0] > settings.rate * width + settings.burst:  # type: ignore[operator]
                self.found.broken[f"I6: a provider saw more than its limit and burst within {width:g} s"] += 1

    def _hold(self, line: LedgerLine) -> None:
        if not line.holds:
            self.found.broken[f"{line.name}: {line.sentence}"] += max(1, int(line.figures.get("offenders", 1)))

    def _events(self, name: str) -> Iterator[dict[str, Any]]:
        """Events of one name from the workers' logs."""
        mark = f'"{name}"'.encode()
        for path in self.on.logs():
            with path.open("rb") as lines:
                yield from (orjson.loads(line) for line in lines if mark in line)

    def _at(self, seconds: float) -> float:
        return seconds - self._began

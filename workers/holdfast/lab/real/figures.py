"""The figures of a drill in real time, drawn up from its evidence. Pure; the same names as in virtual time."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, inf
from statistics import fmean

from holdfast.lab.drill.figures import DrillFigures, draw_up, percentile
from holdfast.lab.drill.result import Timeline
from holdfast.lab.drill.scenario import Scenario
from holdfast.lab.real.evidence import DrillEvidence, Span
from holdfast.lab.report.run_record import BreakerMove, Sample
from holdfast.policy.signals import ScopeKind

BARS = 400  # of the picture
CROWD = 50  # jobs that wait when a provider heals: fewer are no backlog to drain
EARLY = 5.0  # seconds after a recovery in which the herd would show
LATELY = 600.0  # seconds of health after which a credential that is still shut is dead
REFUSED = "429"


@dataclass(frozen=True, slots=True)
class Overhead:
    """What the machine added, in seconds of the drill.

    ``p50_s``, ``p99_s``: how long jobs waited for their first call before anything was wrong. ``sending_p99_s``: from
    the row of a call to its arrival, over the whole drill: by so much calls bunch, and run into rate limits.
    """

    p50_s: float
    p99_s: float
    sending_p99_s: float


class Backlog:
    """How many jobs were where, at any moment."""

    def __init__(self, evidence: DrillEvidence) -> None:
        self._created, self._finished = sorted(evidence.created), sorted(evidence.finished)
        self._done = sorted(evidence.done)
        self._begun = sorted(begin for begin, _ in evidence.runs)
        self._ended = sorted(end for _, end in evidence.runs)

    def at(self, seconds: float) -> Sample:
        done = bisect_right(self._done, seconds)
        over = bisect_right(self._finished, seconds)
        running = bisect_right(self._begun, seconds) - bisect_right(self._ended, seconds)
        waiting = max(0, bisect_right(self._created, seconds) - over - running)
        return Sample(seconds, done, running, waiting, over - done)

    def gone(self, since: float, until: float, most: int) -> float | None:
        """When, from ``since`` on, no more than ``most`` jobs waited; None: not before ``until``."""
        place = bisect_left(self._begun, since)
        while place < len(self._begun) and self._begun[place] < until:
            if self.at(self._begun[place]).waiting <= most:
                return self._begun[place]
            place += 1
        return None


def figures(scenario: Scenario, evidence: DrillEvidence, slots: int, limit: float | None) -> DrillFigures:
    """``slots``: calls that the pool can have in flight. ``limit``: requests a second that an only route lets in."""
    return draw_up(
        evidence.accepted,
        evidence.states,
        evidence.took,
        evidence.sent,
        failed_calls=evidence.failed,
        abandoned_calls=evidence.left,
        breaker_trips=sum(turn.before == "closed" and turn.state == "open" for turn in evidence.turns),
        probes=sum(map(len, evidence.probes.values())),
        probes_concurrent_max=max(map(most_at_once, evidence.probes.values()), default=0),
        drain_ratio=round(drain_ratio(scenario, evidence, slots, limit), 4),
        limit_breaches=limit_breaches(scenario, evidence),
        equation_holds=not evidence.broken,
    )


def extras(scenario: Scenario, evidence: DrillEvidence) -> dict[str, float | bool]:
    """What bars may ask for besides the figures."""
    return {
        "first_5s_concurrency": first_concurrency(evidence),
        "credential_marked_dead": credential_is_dead(scenario, evidence),
        "violations": sum(evidence.broken.values()),
    }


def overhead(scenario: Scenario, evidence: DrillEvidence) -> Overhead:
    """Draw up what the machine added."""
    ill_from = next((phase.at for phase in scenario.phases if not phase.is_well), inf)
    waits = sorted(called - created for created, called in evidence.first_runs if called < ill_from)
    sending = percentile(sorted(evidence.on_the_way), 0.99)
    return Overhead(round(percentile(waits, 0.5), 3), round(percentile(waits, 0.99), 3), round(sending, 3))


def most_at_once(spans: Sequence[Span]) -> int:
    """The most of these that were under way together."""
    moves = [(begin, 1) for begin, _ in spans] + [(max(begin, end), -1) for begin, end in spans]
    out = most = 0
    for _, change in sorted(moves):  # at one and the same moment, ends come before starts
        out += change
        most = max(most, out)
    return most


def well_spans(scenario: Scenario) -> list[Span]:
    """When nothing was wrong with the first provider."""
    phases = [phase for phase in scenario.phases if phase.at < scenario.seconds]
    ends = [*(phase.at for phase in phases), scenario.seconds]
    spans = [(0.0, ends[0]), *((p.at, end) for p, end in zip(phases, ends[1:], strict=True) if p.is_well)]
    return [*spans, (scenario.seconds, inf)]


def heals(scenario: Scenario) -> list[Span]:
    """The spans of health that follow an illness."""
    ill_ends = {end for _, end in ill_spans(scenario)}
    return [span for span in well_spans(scenario) if span[0] in ill_ends]


def ill_spans(scenario: Scenario) -> list[Span]:
    """When something was wrong with the first provider; one phase after the other is one span."""
    spans: list[Span] = []
    ends = [*(phase.at for phase in scenario.phases[1:]), scenario.seconds]
    for phase, end in zip(scenario.phases, ends, strict=True):
        if phase.is_well:
            continue
        if spans and spans[-1][1] == phase.at:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((phase.at, end))
    return spans


def limit_breaches(scenario: Scenario, evidence: DrillEvidence) -> int:
    """Calls that a healthy provider refused for their rate."""
    first, spans = next(iter(evidence.calls.values())), well_spans(scenario)
    refused = [started for started, _, status in first if status == REFUSED]
    return sum(any(begin <= at < end for begin, end in spans) for at in refused)


def spare_per_second(scenario: Scenario, slots: int, limit: float | None) -> float:
    """Jobs a second that the pool can do beyond those that arrive, when all is well."""
    most = slots / fmean(scenario.load.takes)
    return (most if limit is None else min(most, limit)) - scenario.load.jobs_per_second


def drain_ratio(scenario: Scenario, evidence: DrillEvidence, slots: int, limit: float | None) -> float:
    """How long it took to work off what an outage left, beside the least possible time. 1 where nothing was left.

    Nothing waits any more when as few jobs do as usually wait for the machine.
    """
    waiting, spare, worst = Backlog(evidence), spare_per_second(scenario, slots, limit), 1.0
    usual = ceil(scenario.load.jobs_per_second * overhead(scenario, evidence).p99_s)
    for begin, end in heals(scenario):
        backlog = waiting.at(begin).waiting
        if backlog < CROWD or spare <= 0 or begin + backlog / spare >= end:
            continue
        gone = waiting.gone(begin, end, usual)
        if gone is not None:
            worst = max(worst, (gone - begin) / (backlog / spare))
    return worst


def first_concurrency(evidence: DrillEvidence) -> int:
    """The most calls in flight on a route when another one starts there, in the first seconds after its recovery."""
    most = 0
    for turn in evidence.turns:
        kind, _, route = turn.scope.partition(":")
        if kind == ScopeKind.ROUTE and (turn.before, turn.state) == ("half_open", "closed"):
            most = max(most, _in_flight_at_starts(evidence.on_route[route], turn.at, turn.at + EARLY))
    return most


def _in_flight_at_starts(spans: Sequence[Span], since: float, until: float) -> int:
    begun, ended = sorted(begin for begin, _ in spans), sorted(end for _, end in spans)
    starts = begun[bisect_left(begun, since) : bisect_left(begun, until)]
    return max((bisect_right(begun, at) - bisect_right(ended, at) for at in starts), default=0)


def credential_is_dead(scenario: Scenario, evidence: DrillEvidence) -> bool:
    """Whether a credential is still shut at the end, though its provider has long been well."""
    since = max((end for _, end in ill_spans(scenario)), default=0.0)
    last = {turn.scope: turn.state for turn in evidence.turns if turn.scope.startswith(f"{ScopeKind.CREDENTIAL}:")}
    return evidence.seconds - since > LATELY and any(state != "closed" for state in last.values())


def course(evidence: DrillEvidence) -> Timeline:
    """How the run went over time, for its picture."""
    seconds = max(evidence.seconds, 1.0)
    bar, waiting = seconds / BARS, Backlog(evidence)
    samples = [waiting.at(place * bar) for place in range(BARS + 1)]
    moves = [BreakerMove(turn.at, _shown(turn.scope), turn.state) for turn in evidence.turns]
    return Timeline(seconds, bar, samples, moves, _answers(evidence, bar))


def _answers(evidence: DrillEvidence, bar: float) -> Mapping[tuple[str, int, str], int]:
    counted: Counter[tuple[str, int, str]] = Counter()
    for provider, calls in evidence.calls.items():
        counted.update((provider, int(ended / bar), status) for _, ended, status in calls)
    return counted


def _shown(scope: str) -> str:
    kind, _, name = scope.partition(":")
    return name if kind == ScopeKind.ROUTE else f"{kind} {name}"

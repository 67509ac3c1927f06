"""What the demo had to show, checked: what clients were told, what SQL says and what the providers saw are compared."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from holdfast.lab.providers.calls import SERVED, SeenCall
from holdfast.lab.report.run_record import BreakerMove, Check, NamedSpan, ProviderLog, RunRecord, Sample
from holdfast.model.job import State
from holdfast.model.records import FinishedJob, LedgerLine

TRIP = 5  # calls that may fail one after the other before a breaker opens
PROBE_EVERY = 1.0  # seconds: no cool-off is shorter
SOONEST = 1.0  # seconds in which the detour must answer once the breaker is open
TITLE = "An outage becomes a backlog and a detour"


@dataclass(frozen=True, slots=True)
class DemoEvidence:
    """Everything that was seen. ``calls`` by provider, in plan order; times are seconds since the epoch.

    ``ledger``: SQL's own lines, and those of the audit, which knows what the providers saw.
    """

    accepted: int
    finished: Sequence[FinishedJob]
    live: int
    ledger: Sequence[LedgerLine]
    calls: Mapping[str, Sequence[SeenCall]]
    samples: Sequence[Sample]
    moves: Sequence[BreakerMove]
    began: float
    outage: tuple[float, float]

    @property
    def seconds(self) -> float:
        """The length of the run: to the last answer."""
        ends = [call.ended for calls in self.calls.values() for call in calls if call.ended is not None]
        return max(ends, default=self.began) - self.began


def record(evidence: DemoEvidence, files: dict[str, str]) -> RunRecord:
    """Make of the evidence what the report shows."""
    ended = {state.value: 0 for state in (State.SUCCEEDED, State.DEAD, State.CANCELLED, State.EXPIRED)}
    for one in evidence.finished:
        ended[one.result.state.value] += 1
    begin, end = (at - evidence.began for at in evidence.outage)
    return RunRecord(
        title=TITLE,
        lead=lead(evidence),
        seconds=evidence.seconds,
        samples=evidence.samples,
        providers=[provider_log(name, calls, evidence.began) for name, calls in evidence.calls.items()],
        moves=evidence.moves,
        phases=[NamedSpan(f"{next(iter(evidence.calls))} answers 503", begin, end)],
        accepted=evidence.accepted,
        ended=ended,
        live=evidence.live,
        checks=checks(evidence),
        files=files,
    )


def lead(evidence: DemoEvidence) -> str:
    first, *_ = evidence.calls
    begin, end = evidence.outage
    lost = evidence.accepted - sum(one.result.state is State.SUCCEEDED for one in evidence.finished)
    return (
        f"{evidence.accepted:,} jobs; {first} failed for {end - begin:.0f} s; "
        f"{counted(lost, 'job')} lost, {counted(detours(evidence), 'job')} took the detour, "
        f"{counted(failed(evidence), 'call')} failed."
    )


def counted(number: int, what: str) -> str:
    """Say how many.

    >>> counted(0, "job"), counted(1, "job"), counted(2500, "call")
    ('no jobs', '1 job', '2,500 calls')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}" if number else f"no {what}s"


def checks(evidence: DemoEvidence) -> list[Check]:
    """Each promise of the run, with its figures."""
    detour, most = first_detour(evidence), most_failed(evidence)
    return [
        Check(
            "Every accepted job ended in exactly one terminal record.",
            evidence.accepted == len({one.job.id for one in evidence.finished}) == len(evidence.finished),
            {"accepted": evidence.accepted, "terminal": len(evidence.finished)},
        ),
        *(Check(line.sentence, line.holds, line.figures) for line in evidence.ledger),
        Check(
            f"The outage cost at most {most} failed calls: those in flight, a few until the breaker opened, probes.",
            failed(evidence) <= most,
            {"failed_calls": failed(evidence)},
            is_promise=False,
        ),
        Check(
            f"The detour answered within {SOONEST:g} s of the breaker's opening.",
            detour is not None and detour <= SOONEST,
            {} if detour is None else {"seconds": round(detour, 2)},
            is_promise=False,
        ),
    ]


def most_failed(evidence: DemoEvidence) -> int:
    """Calls that the outage may cost: what was in flight as it began, what opens a breaker, and a probe a cool-off."""
    begin, end = evidence.outage
    first, *_ = evidence.calls.values()
    in_flight = sum(call.started <= begin and (call.ended is None or call.ended > begin) for call in first)
    return in_flight + TRIP + ceil((end - begin) / PROBE_EVERY)


def failed(evidence: DemoEvidence) -> int:
    return sum(call.status != SERVED for calls in evidence.calls.values() for call in calls)


def detours(evidence: DemoEvidence) -> int:
    """Jobs that another provider than the first one answered."""
    _, *others = evidence.calls.values()
    return sum(call.status == SERVED for calls in others for call in calls)


def first_detour(evidence: DemoEvidence) -> float | None:
    """Seconds from the opening of the first breaker to the next answer of another provider."""
    opened = next((move.at for move in evidence.moves if move.state == "open"), None)
    _, *others = evidence.calls.values()
    if opened is None:
        return None
    since = evidence.began + opened
    ends = [call.ended for calls in others for call in calls if call.status == SERVED and call.ended is not None]
    return min((end - since for end in ends if end >= since), default=None)


def provider_log(name: str, calls: Sequence[SeenCall], began: float) -> ProviderLog:
    return ProviderLog(name, [(call.ended - began, str(call.status), 1) for call in calls if call.ended is not None])

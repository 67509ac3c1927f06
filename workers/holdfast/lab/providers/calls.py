"""What a simulated provider saw: a log of calls, and pure functions that count it.

Times are seconds since the epoch, so that they can be laid beside those of other processes.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

SERVED = "200"
PAID = frozenset({SERVED, "bad-output"})  # answers whose usage reached the caller
STEP = 0.1  # seconds, of the timeline


@dataclass(slots=True)
class SeenCall:
    """One request. ``status`` is None while it runs, else an HTTP status or what became of the connection.

    ``tag`` is the caller's own name for the attempt, ``job/generation/attempt``. ``executed`` says that the model ran,
    whether or not the answer arrived; ``admitted`` that the rate limits let it in. ``started`` is when it was seen;
    it came after ``since``, where that is known.
    """

    started: float
    path: str
    tag: str = ""
    model: str = ""
    ended: float | None = None
    status: str | None = None
    admitted: bool = False
    executed: bool = False
    input_tokens: int = 0
    output_tokens: int = 0
    since: float | None = None

    @property
    def came_after(self) -> float:
        return self.started if self.since is None else min(self.since, self.started)

    @property
    def job(self) -> str:
        """The job and its generation: a replayed job is paid for anew."""
        return self.tag.rpartition("/")[0]


def count(calls: Sequence[SeenCall]) -> dict[str, Any]:
    """Everything there is to say about a log, in order of arrival."""
    paid = [call for call in calls if call.status in PAID]
    lost = [call for call in calls if call.executed and call.status not in PAID and call.status is not None]
    ends = [call.ended for call in calls if call.ended is not None]
    return {
        "calls": len(calls),
        "by_status": dict(Counter(call.status for call in calls if call.status is not None)),
        "in_flight": sum(call.status is None for call in calls),
        "max_in_flight": most_in_flight(calls),
        "max_per_second": most_per_second([call.started for call in calls]),
        "max_admitted_per_second": most_per_second([call.started for call in calls if call.admitted]),
        "first_at": calls[0].started if calls else None,
        "last_at": max(ends, default=None),
        "usage": _usage(paid),
        "usage_undelivered": _usage(lost),
        **repeats(calls),
    }


def repeats(calls: Iterable[SeenCall]) -> dict[str, int]:
    """How often jobs were called, by the tags that callers sent. Untagged calls are left out."""
    by_job: dict[str, list[SeenCall]] = defaultdict(list)
    tags: Counter[str] = Counter()
    untagged = 0
    for call in calls:
        if call.job:
            by_job[call.job].append(call)
            tags[call.tag] += 1
        else:
            untagged += 1
    executions = [sum(call.executed for call in of_job) for of_job in by_job.values()]
    return {
        "untagged": untagged,
        "tags": len(tags),
        "repeated_tags": sum(times > 1 for times in tags.values()),
        "jobs": len(by_job),
        "jobs_called_again": sum(len(of_job) > 1 for of_job in by_job.values()),
        "most_calls_of_a_job": max(map(len, by_job.values()), default=0),
        "executed_again": sum(times - 1 for times in executions if times > 1),
        "calls_after_completed": sum(map(_after_completed, by_job.values())),
    }


def _after_completed(of_job: Sequence[SeenCall]) -> int:
    """Calls of one job that began after one of its calls had been answered with success."""
    done = min((call.ended for call in of_job if call.status == SERVED and call.ended is not None), default=None)
    return 0 if done is None else sum(call.started > done for call in of_job)


def most_in_flight(calls: Iterable[SeenCall]) -> int:
    """The largest number of calls that ran at one moment."""
    moves: list[tuple[float, int]] = []
    for call in calls:
        moves.append((call.started, 1))
        if call.ended is not None:
            moves.append((call.ended, -1))
    running = most = 0
    for _, change in sorted(moves):  # at one and the same moment, ends come before starts
        running += change
        most = max(most, running)
    return most


def most_per_second(times: Sequence[float]) -> int:
    """The largest number of ``times`` (ascending) within any one second."""
    most = first = 0
    for last, time in enumerate(times):
        while times[first] <= time - 1.0:
            first += 1
        most = max(most, last - first + 1)
    return most


def timeline(calls: Sequence[SeenCall]) -> dict[str, Any]:
    """Calls by status for every ``STEP`` seconds in which any ended, counted from the first arrival."""
    start = calls[0].started if calls else None
    points: dict[int, Counter[str]] = defaultdict(Counter)
    for call in calls:
        if start is not None and call.ended is not None and call.status is not None:
            points[int((call.ended - start) / STEP)][call.status] += 1
    return {"start": start, "step": STEP, "points": [[place, dict(points[place])] for place in sorted(points)]}


def _usage(calls: Iterable[SeenCall]) -> dict[str, int]:
    usage = {"input": 0, "output": 0}
    for call in calls:
        usage["input"] += call.input_tokens
        usage["output"] += call.output_tokens
    return usage

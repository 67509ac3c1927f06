"""A storm of 400s: when many different jobs are called wrong at once, it is the route that is wrong, not they.

A value and the functions that move it, for one route as one process sees it. The fleet's breaker hears the same calls
and parks the route; this window is there so that the calls which are answered in the same moment are not buried first.

A second window of the same make holds what wears jobs out without being their fault: calls that were cut or refused for
a conflict. A breaker that stays closed because half of the calls come through still fails some jobs eight times.
"""

from dataclasses import dataclass

LEAST = 10  # different jobs
MOST = 20  # calls that are remembered
SHARE = 0.5
SECONDS = 60.0
WEARING_LEAST = 5  # different jobs
WEARING_SHARE = 0.1  # of the jobs had a call that wears them out: from there on it is the route that does it
WEARING_MOST, WEARING_SECONDS = 60, 600.0  # a longer memory, for a route that is shut now and then has few calls


@dataclass(frozen=True, slots=True)
class JobSample:
    """One call: when it ended, whose it was, and whether the provider called the request wrong."""

    at: float
    job: str
    wrong: bool


Window = tuple[JobSample, ...]


def note_client_error(window: Window, at: float, job: str, *, wrong: bool) -> Window:
    """Add a call. Where nothing was wrong lately, nothing is remembered: healthy calls cost nothing."""
    return _with(window, JobSample(at, job, wrong), SECONDS, MOST)


def is_error_burst(window: Window, now: float) -> bool:
    """Whether at least half of ten or more different jobs were called wrong within the last minute."""
    last = {call.job: call.wrong for call in window if call.at > now - SECONDS}
    return len(last) >= LEAST and sum(last.values()) >= SHARE * len(last)


def note_budget_use(window: Window, at: float, job: str, *, wrong: bool) -> Window:
    """The same for calls that were cut or refused for a conflict, over a longer time."""
    return _with(window, JobSample(at, job, wrong), WEARING_SECONDS, WEARING_MOST)


def is_degraded(window: Window, now: float) -> bool:
    """Whether a tenth of five or more different jobs were cut or refused within the last ten minutes.

    A job that comes back does not undo that it was cut: here counts whom it happened to, not how the last call ended.
    """
    young = [call for call in window if call.at > now - WEARING_SECONDS]
    jobs, hit = {call.job for call in young}, {call.job for call in young if call.wrong}
    return len(jobs) >= WEARING_LEAST and len(hit) > 1 and len(hit) >= WEARING_SHARE * len(jobs)


def _with(window: Window, call: JobSample, seconds: float, most: int) -> Window:
    young = tuple(each for each in window if each.at > call.at - seconds)
    if not call.wrong and not any(each.wrong for each in young):
        return ()
    return (*young, call)[-most:]

"""A storm of 400s: when many different jobs are called wrong at once, it is the route that is wrong, not they.

A value and the functions that move it, for one route as one process sees it. The fleet's breaker hears the same calls
and parks the route; this window is there so that the calls which are answered in the same moment are not buried first.
"""

from dataclasses import dataclass

LEAST = 10  # different jobs
MOST = 20  # calls that are remembered
SHARE = 0.5
SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Judged:
    """One call: when it ended, whose it was, and whether the provider called the request wrong."""

    at: float
    job: str
    wrong: bool


Window = tuple[Judged, ...]


def judged(window: Window, at: float, job: str, *, wrong: bool) -> Window:
    """Add a call. Where nothing was wrong lately, nothing is remembered: healthy calls cost nothing."""
    young = tuple(call for call in window if call.at > at - SECONDS)
    if not wrong and not any(call.wrong for call in young):
        return ()
    return (*young, Judged(at, job, wrong))[-MOST:]


def is_storm(window: Window, now: float) -> bool:
    """Whether at least half of ten or more different jobs were called wrong within the last minute."""
    last = {call.job: call.wrong for call in window if call.at > now - SECONDS}
    return len(last) >= LEAST and sum(last.values()) >= SHARE * len(last)

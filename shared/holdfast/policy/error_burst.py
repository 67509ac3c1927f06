"""A burst of client errors: where many different jobs get one at once, the route is at fault and not they.

A value and the functions that move it, for one route as one process sees it. The fleet's breaker records the same calls
and parks the route; this window is there so that the calls which are answered in the same moment are not buried first.

A second window of the same kind holds calls that failed in any way. A breaker that stays closed because half of the
calls come through still fails some jobs eight times. A job that fails again and again says nothing of the others: it
is left out, as if it had never been there.
"""

from typing import NamedTuple

LEAST = 10  # different jobs
MOST = 20  # calls that are remembered
SHARE = 0.5
SECONDS = 60.0
DEGRADED_LEAST = 5  # different jobs
DEGRADED_SHARE = 0.1  # of the jobs had such a call: from there on the route is degraded
OFTEN = 2  # failed calls that a job had before: from there on it is left out
DEGRADED_MOST, DEGRADED_SECONDS = 60, 600.0  # a longer memory: a route that is shut now and then has few calls


class CountedCall(NamedTuple):
    """One call: when it ended (seconds), the id of its job, and whether it is one of those that are counted.

    ``repeated``: its job had failed so often before that it is left out.
    """

    at: float
    key: str
    wrong: bool
    repeated: bool = False


Window = tuple[CountedCall, ...]


def note_client_error(window: Window, at: float, job: str, *, wrong: bool) -> Window:
    """Add a call to the first window. Without a client error of late nothing is kept: healthy calls cost nothing."""
    return _with(window, CountedCall(at, job, wrong), SECONDS, MOST)


def is_error_burst(window: Window, now: float) -> bool:
    """Whether at least half of ten or more different jobs got a client error within the last minute."""
    last = {call.key: call.wrong for call in window if call.at > now - SECONDS}
    return len(last) >= LEAST and sum(last.values()) >= SHARE * len(last)


def note_failure(window: Window, at: float, job: str, *, wrong: bool, tries: int = 0) -> Window:
    """Add a call to the second window. ``tries``: failed calls that its job had before, on any route."""
    call = CountedCall(at, job, wrong, repeated=wrong and tries >= OFTEN)
    return _with(window, call, DEGRADED_SECONDS, DEGRADED_MOST)


def is_degraded(window: Window, now: float) -> bool:
    """Whether a tenth of five or more different jobs had a call that failed, within the last ten minutes.

    A later success does not undo that: here counts whom it happened to, not how the last call ended.
    """
    young = [call for call in window if call.at > now - DEGRADED_SECONDS]
    repeated = {call.key for call in young if call.repeated}
    jobs, hit = {call.key for call in young} - repeated, {call.key for call in young if call.wrong} - repeated
    return len(jobs) >= DEGRADED_LEAST and len(hit) > 1 and len(hit) >= DEGRADED_SHARE * len(jobs)


def _with(window: Window, call: CountedCall, seconds: float, most: int) -> Window:
    young = tuple(each for each in window if each.at > call.at - seconds)
    if not call.wrong and not any(each.wrong for each in young):
        return ()
    return (*young, call)[-most:]

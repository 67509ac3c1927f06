"""Slow is a failure too: when a call in flight counts as slow, and when to stop waiting for it.

What is slow depends on the route: a model that thinks for a minute is well, one that usually answers in two seconds and
now takes half a minute is not. So the settings' ``slow_after`` is a floor, and a call is slow only when it also takes
several times as long as calls on its route typically do. Lengths are normalised: twice the expected output may take
twice the time.
"""

from holdfast.model.job import Need
from holdfast.model.route import Plan, Route
from holdfast.policy.health import Health
from holdfast.policy.retry import elsewhere, still_avoided

USUAL_OUTPUT = 1_000  # tokens; a call that may answer more is given more time
TIMES = 5.0  # as long as is typical: what takes longer is slow
UNKNOWN = 0.5  # of the deadline; what is slow before any call on the route came back
STEP = 1.05  # how far one call moves what is typical
LOST_AT = 3.0  # times as long as it takes to be slow: then a call on a failing route is lost
CROWDED = 0.25  # of a process's places held by slow calls: what hangs there takes the places of what would not
CROWDED_LOST_AT = 1.5  # times as long as it takes to be slow; twice as much for each call that its job had before
RECHECK_AFTER = 2.0  # seconds until a slow call is looked at again


def typical(known: float | None, seconds: float, output_tokens: int) -> float:
    """Learn from one reply what calls on its route typically take, in seconds of a call of usual length.

    A median that follows: half of the calls move it up, half down, and no single one moves it far.

    >>> typical(None, 2.0, 1_000), typical(2.0, 90.0, 1_000), typical(2.0, 6.0, 4_000)
    (2.0, 2.1, 1.9047619047619047)
    """
    normal = seconds / _length(output_tokens)
    if known is None:
        return normal
    return known * STEP if normal > known else known / STEP


def slow_after(route: Route, known: float | None, output_tokens: int) -> float:
    """Seconds after which a call in flight on ``route`` is slow. ``known``: what ``typical`` learned, None nothing yet.

    Raises: ValueError: the route never calls anything slow.
    """
    if route.slow_after is None:
        raise ValueError(f"{route.name} has no slow_after")
    usual = UNKNOWN * route.deadline if known is None else TIMES * known
    return max(route.slow_after, usual) * _length(output_tokens)


def gives_up(  # the whole of what the decision may depend on
    route: Route,
    plan: Plan,
    health: Health,
    need: Need,
    now: float,
    *,
    slowness: float,
    crowded: bool = False,
    calls: int = 0,
) -> bool:
    """Whether to give a slow call up: its route turned out to fail, and another could take its job at once.

    The call may have been billed and may still succeed, so a route that others find well is waited for to the deadline.
    Where no other route is free, a call on a failing one is waited for longer, but not for ever: hung calls hold places
    that the next probe needs.

    ``now`` is on the clock of ``need.avoid``; ``slowness`` tells how long the call has taken, as a multiple of what
    made it slow. ``crowded``: see ``is_crowded``; then a call is left even on a route that is not known to fail.
    ``calls`` that the job had before and may have been billed: each doubles the wait then, so that a job that needs
    long gets as long as the deadline allows before its calls are used up.
    """
    if crowded and slowness >= CROWDED_LOST_AT * 2.0**calls:
        return True
    if route.name not in health.open_routes | health.failing_routes:
        return False
    return slowness >= LOST_AT or elsewhere(plan, route, health, still_avoided(need.avoid, now))


def is_crowded(slow: int, slots: int) -> bool:
    """Whether ``slow`` of a process's ``slots`` are too many to be waited for.

    >>> is_crowded(15, 64), is_crowded(16, 64)
    (False, True)
    """
    return slow >= max(1.0, CROWDED * slots)


def _length(output_tokens: int) -> float:
    return max(1.0, output_tokens / USUAL_OUTPUT)

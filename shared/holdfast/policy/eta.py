"""When a lane will be empty: an estimate from the pace at which its jobs end, and from what its routes allow."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

SLOT = 5.0  # seconds: the store counts what ended by slots so long
LOOK_BACK = 120.0  # seconds of endings that are looked at
GAP = 20.0  # seconds in which nothing ended: what ended before them was another time, before an outage perhaps


@dataclass(frozen=True, slots=True)
class RouteCapacity:
    """A route as it stands. ``shut``: it admits nothing now, and may be tried again in so many seconds (``again``).

    ``again`` None: only an operator can tell. ``per_second``: calls that its limits allow; None where none is known.
    """

    route: str
    shut: bool = False
    again: float | None = None
    per_second: float | None = None


@dataclass(frozen=True, slots=True)
class Eta:
    """Seconds until nothing of a lane waits or runs, or None; ``why`` says what the number rests on, or what lacks."""

    seconds: float | None
    why: str


def eta(left: int, ended: Sequence[tuple[float, int]], ways: Sequence[RouteCapacity], now: float) -> Eta:
    """Estimate when a lane will be empty, if nothing more is submitted.

    Args:
        left: Jobs of the lane that have not ended.
        ended: Age in seconds of the beginning of each slot of time, youngest first, and the jobs that ended in it.
        ways: The routes of the lane's plan, in order.
        now: Seconds since the epoch, to say a time of day with.
    """
    if left == 0:
        return Eta(0.0, "nothing waits")
    free = [way for way in ways if not way.shut]
    if not free:
        return Eta(None, _closed(ways, now))
    allowed, seen = _allowed(free), drain_rate(ended)
    if seen is not None and (allowed is None or seen <= allowed):
        return Eta(left / seen, f"at {_number(seen)} jobs/s, as lately")
    if allowed:
        return Eta(left / allowed, f"at {_number(allowed)} calls/s, which is what the limits of its open routes allow")
    return Eta(None, "nothing has ended lately, and no limit of its open routes is known")


def drain_rate(ended: Sequence[tuple[float, int]]) -> float | None:
    """Jobs a second that ended lately: since the last time that nothing did for a while. None: nothing ended.

    >>> drain_rate([(2.0, 10), (7.0, 25), (12.0, 25), (60.0, 4)])
    5.0
    """
    jobs, reach = 0, 0.0
    for age, count in ended:
        if jobs and age - reach > GAP:
            break
        jobs, reach = jobs + count, age
    return jobs / max(reach, SLOT) if jobs else None


def _allowed(free: Sequence[RouteCapacity]) -> float | None:
    """Calls a second over all open routes; None where one of them has no known limit."""
    limits = [way.per_second for way in free]
    return None if any(limit is None for limit in limits) else sum(limit for limit in limits if limit is not None)


def _closed(ways: Sequence[RouteCapacity], now: float) -> str:
    if not ways:
        return "no route of its plan can be used"
    first = min(ways, key=lambda way: float("inf") if way.again is None else way.again)
    if first.again is None:
        return f"waits for {first.route} until an operator lets calls through"
    until = datetime.fromtimestamp(now + first.again, UTC)
    return f"waits for {first.route} until {until:%H:%M:%S} UTC"


def _number(rate: float) -> str:
    return f"{rate:.1f}" if rate >= 1 else f"{rate:.2g}"

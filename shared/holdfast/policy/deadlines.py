"""Which deadlines are at risk: those that pass before their turn comes, at the pace at which the lane drains. Pure."""

from collections.abc import Sequence

UNKNOWN = 3_600.0  # seconds: while nobody can tell when a lane goes on, whoever ends sooner is at risk


def at_risk(left: Sequence[float], per_second: float | None) -> int:
    """Count the deadlines of a lane that will be missed. Jobs start in the order of their deadlines.

    Args:
        left: Seconds until each deadline, nearest first.
        per_second: Jobs of the lane that end in a second; None: nobody can tell when it goes on.

    >>> at_risk([1.0, 1.5, 30.0, 30.0], 1.0), at_risk([60.0, 7_200.0], None)
    (1, 1)
    """
    if not per_second:
        return sum(seconds < UNKNOWN for seconds in left)
    return sum(place / per_second > seconds for place, seconds in enumerate(left, 1))

"""How long to wait after a failure, and how many retries the fleet may make."""

from collections.abc import Callable

Uniform = Callable[[float, float], float]  # uniform(low, high); random.uniform in production, a stub in tests

BASE = 1.0
CAP = 300.0
WAITED_FOR_BASE = 0.25  # of interactive jobs: a person would have asked again by then
WAITED_FOR_CAP = 2.0
WAITED_FOR_LONG = 30.0  # seconds; of one whose failures open no breaker that would pace it
WAITED_FOR_SHARE = 0.25  # of the time until their deadline, so that there are some tries before it
_LARGEST_EXPONENT = 64  # 2**64 seconds exceed every cap; a larger power would overflow a float


def widths(cap: float, left: float | None, *, interactive: bool, unpaced: bool = False) -> tuple[float, float]:
    """Base and cap of the draw for one job. ``left``: seconds until its deadline. ``unpaced``: no breaker paces it.

    Somebody waits for an interactive job: it tries again soon, and more than once before its deadline. What keeps
    retries from becoming the outage holds for it as well: the breaker, the budget of retries, a server's Retry-After.

    >>> widths(10.0, None, interactive=False), widths(10.0, None, interactive=True), widths(10.0, 2.0, interactive=True)
    ((1.0, 10.0), (0.25, 2.0), (0.25, 0.5))
    >>> widths(300.0, None, interactive=True, unpaced=True)
    (0.25, 30.0)
    """
    if not interactive:
        return BASE, cap
    shares = () if left is None else (max(0.0, left) * WAITED_FOR_SHARE,)
    cap = min(cap, WAITED_FOR_LONG if unpaced else WAITED_FOR_CAP, *shares)
    return min(WAITED_FOR_BASE, cap), cap


def retry_delay(
    attempt: int, retry_after: float | None, *, base: float = BASE, cap: float = CAP, uniform: Uniform
) -> float:
    """Seconds to wait after failed attempt number ``attempt``.

    Full jitter: a uniform draw from ``[0, min(cap, base * 2**(attempt - 1))]``, so that jobs which failed together
    do not come back together. A server's ``Retry-After`` is a floor: the draw is added to it.

    Args:
        attempt: Attempts made so far, counted from 1. Snoozes are not attempts.
        retry_after: Seconds the provider asked for, or None. May exceed ``cap``.
        base: Width of the first draw, seconds, > 0.
        cap: Width of the widest draw, seconds, >= ``base``.
        uniform: ``uniform(low, high)``; ``random.uniform`` in production, a stub in tests.

    Returns: Seconds, >= 0 and finite for every ``attempt``.
    Raises: ValueError: ``attempt`` is below 1.
    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015; RFC 9110 section 10.2.3.

    >>> [retry_delay(n, None, uniform=lambda low, high: high) for n in (1, 2, 3, 40)]
    [1.0, 2.0, 4.0, 300.0]
    """
    if attempt < 1:
        raise ValueError(f"attempts are counted from 1, not {attempt}")
    widest = min(cap, base * 2.0 ** min(attempt - 1, _LARGEST_EXPONENT))
    return (retry_after or 0.0) + uniform(0.0, widest)

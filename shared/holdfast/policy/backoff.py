"""How long to wait after a failure, and how many retries the fleet may make."""

from collections.abc import Callable

Uniform = Callable[[float, float], float]  # uniform(low, high); random.uniform in production, a stub in tests

BASE = 1.0
CAP = 300.0
WAITED_FOR_BASE = 0.25  # of interactive jobs: a person would have asked again by then
WAITED_FOR_CAP = 2.0
WAITED_FOR_LONGEST = 30.0  # seconds; of one that fails alone
WAITED_FOR_SHARE = 0.25  # of the time until their deadline, so that there are some tries before it
ALONE_SHARE = 0.25  # of the time for which a job has failed alone: an outage that it is the only one to see costs that
_LARGEST_EXPONENT = 64  # 2**64 seconds exceed every cap; a larger power would overflow a float


def widths(cap: float, left: float | None, *, interactive: bool, alone_for: float | None = None) -> tuple[float, float]:
    """Base and cap of the draw for one job, in seconds.

    Somebody waits for an interactive job: it tries again soon, and more than once before its deadline. What keeps
    retries from becoming the outage holds for it as well: the breaker, the budget of retries, a server's Retry-After.

    Args:
        cap: Widest draw by the kind of fault.
        left: Seconds until the job's deadline.
        interactive: Whether somebody waits for it.
        alone_for: Seconds for which it has failed while nobody else called; None: it is not alone. One job opens no
            breaker, so that its own waits are all that paces it: as a cool-off does, they follow the age of the outage.

    >>> widths(10.0, None, interactive=False), widths(10.0, None, interactive=True), widths(10.0, 2.0, interactive=True)
    ((1.0, 10.0), (0.25, 2.0), (0.25, 0.5))
    >>> [widths(10.0, None, interactive=False, alone_for=seconds)[1] for seconds in (20.0, 400.0, 4_000.0)]
    [10.0, 100.0, 300.0]
    """
    base, longest = BASE, CAP
    if interactive:
        base, cap, longest = WAITED_FOR_BASE, min(cap, WAITED_FOR_CAP), WAITED_FOR_LONGEST
    if alone_for is not None:
        cap = max(cap, min(longest, ALONE_SHARE * alone_for))
    if interactive and left is not None:
        cap = min(cap, max(0.0, left) * WAITED_FOR_SHARE)
    return min(base, cap), cap


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

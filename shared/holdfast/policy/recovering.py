"""Whether a route is recovering, as people are told: calls come back to it step by step. Admission goes by the ramp."""

from holdfast.policy.breaker_rules import Rules
from holdfast.policy.breaker_state import Breaker, Closed

IDLE = 60.0  # seconds without a call after which nobody is being let in


def is_recovering(breaker: Breaker, in_flight: int, now: float, rules: Rules) -> bool:
    """Whether calls come back through a breaker step by step after an outage.

    The cap itself ends with calls that succeed, so where none comes it stays: a route that only takes over while
    another is down would be told as recovering for ever. It is not once none is in flight and none ended for ``IDLE``,
    nor from ``ramp_quiet`` after the recovery on, when one success lifts the cap.

    Args:
        breaker: One that calls go through.
        in_flight: Calls through it that have not ended.
        now: Seconds, by the clock of the breaker's signals.
        rules: Those of the breaker.
    """
    if not isinstance(breaker.state, Closed) or breaker.state.ramp is None or breaker.recovered is None:
        return False
    last_call = max((call.at for call in breaker.state.window), default=breaker.recovered)
    is_called = in_flight > 0 or now - last_call < IDLE
    return is_called and now - breaker.recovered < rules.ramp_quiet

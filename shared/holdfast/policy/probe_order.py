"""Which of a route's credentials goes first: the rule that fetch.lua follows too."""

from math import inf

from holdfast.policy.breaker_state import Breaker, HalfOpen, Open


def probe_rank(credential: Breaker, endpoint: Breaker, now: float) -> float:
    """Sort the credentials of one route by this, smallest first; equal ones keep the plan's order.

    A credential whose cool-off is over is tried before sound ones are used: one call finds out whether it is back, and
    nobody has to be short of permits for that. Of several the one that has waited longest goes first. But where the
    provider's own breaker wants a probe, a credential that was never refused makes it: a key that was revoked during
    an outage must not be the one that is asked again and again whether the outage is over.
    """
    if is_due(credential, now):
        return _until(credential)
    return -inf if is_due(endpoint, now) else inf


def is_due(breaker: Breaker, now: float) -> bool:
    """Whether the next call would be its probe."""
    return isinstance(breaker.state, Open | HalfOpen) and now >= breaker.state.until


def _until(breaker: Breaker) -> float:
    return breaker.state.until if isinstance(breaker.state, Open | HalfOpen) else inf

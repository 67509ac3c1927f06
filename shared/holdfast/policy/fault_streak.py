"""Faults of late, as a breaker remembers them, so that calls from before an outage do not speak for its route."""

from dataclasses import dataclass, replace

from holdfast.policy.breaker_rules import Rules
from holdfast.policy.signals import Observation, Signal

HARDLY_MORE = 1.5  # successes of calls from before for each fault: with every call failing, about one


@dataclass(frozen=True, slots=True)
class FaultStreak:
    """Faults of late: when the first and the last one came, and how many.

    ``before``: successes since then of calls that were sent before ``began``.
    """

    began: float
    last: float
    faults: int = 1
    before: int = 0

    def predates_outage(self, observed: Observation) -> bool:
        """Whether a success says nothing of now: sent before, while faults come as fast as such successes do.

        What was in flight comes back well for seconds into an outage. Where only some calls fail, far more come back.
        """
        sent_before = observed.sent is not None and observed.sent < self.began
        return sent_before and self.before <= HARDLY_MORE * self.faults + 1


def after_success(streak: FaultStreak | None, observed: Observation, rules: Rules) -> FaultStreak | None:
    """The streak once a call came back well; None where it is over."""
    if streak is None or observed.at - streak.last >= rules.window_seconds:
        return None
    sent_before = observed.sent is not None and observed.sent < streak.began
    return replace(streak, before=streak.before + 1) if sent_before else streak


def after_fault(streak: FaultStreak | None, observed: Observation, rules: Rules) -> FaultStreak | None:
    """The streak with one more call in it. A slow call is none: its route answers."""
    if observed.signal is Signal.SLOW:
        return streak
    if streak is None or observed.at - streak.last >= rules.window_seconds:
        return FaultStreak(observed.at, observed.at)
    return replace(streak, last=max(streak.last, observed.at), faults=streak.faults + 1)

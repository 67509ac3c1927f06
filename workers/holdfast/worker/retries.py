"""The share of one process in the fleet's retry budget. A retry beyond it comes later; it is not lost."""

from dataclasses import dataclass, field, replace

from holdfast.model.step import Retry, Step
from holdfast.policy.retry_budget import RetryBudget, earn, spend
from holdfast.testing import PRODUCTION, Clock


@dataclass(slots=True)
class Retries:
    clock: Clock = PRODUCTION.clock
    budget: RetryBudget = field(default_factory=RetryBudget)

    def first_call(self) -> None:
        """A job made its first call."""
        self.budget = earn(self.budget)

    def paced(self, step: Step, *, guarded: bool) -> Step:
        """The step, later if the budget is used up.

        ``guarded``: the route's breaker is open, and paces whatever comes back. A reroute is not a retry: another
        route takes it, within that route's own allowances.
        """
        if not isinstance(step, Retry) or guarded:
            return step
        self.budget, later = spend(self.budget, self.clock.monotonic())
        return replace(step, delay=step.delay + later)

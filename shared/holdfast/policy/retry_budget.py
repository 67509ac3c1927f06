"""The fleet's retry budget: retries are a share of the calls, so that they cannot become the outage.

A retry beyond the budget is not lost, it comes later. Each process keeps one budget for its own calls: a share of a
share is a share.
"""

from dataclasses import dataclass

SHARE = 0.2  # retries that each first call earns
PER_SECOND = 10.0  # retries that come in besides
SAVED = 100.0  # retries that may be saved up


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """``level`` retries may be made at ``at`` (seconds). Below zero: promised to retries that wait."""

    level: float = PER_SECOND
    at: float = 0.0


def earn(budget: RetryBudget) -> RetryBudget:
    """A first call was made. Returns the same object when no more can be saved."""
    if budget.level >= SAVED:
        return budget
    return RetryBudget(min(SAVED, budget.level + SHARE), budget.at)


def spend(budget: RetryBudget, now: float) -> tuple[RetryBudget, float]:
    """A retry or reroute is wanted. Returns the seconds, >= 0, by which it must come later than it would.

    >>> budget, _ = spend(RetryBudget(level=1.0), now=0.0)
    >>> spend(budget, now=0.0)[1]
    0.1
    """
    flowed_in = max(0.0, now - budget.at) * PER_SECOND
    level = min(SAVED, budget.level + flowed_in) - 1.0
    return RetryBudget(level, max(budget.at, now)), max(0.0, -level / PER_SECOND)

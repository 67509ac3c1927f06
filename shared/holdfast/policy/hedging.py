"""Hedging: a second call for a job whose first one takes long, as a share of all calls at most.

A hedge buys latency with money: both calls may be billed. So it needs a plan that asks for it, and a budget. Each
process keeps one budget per plan for its own calls: a share of a share is a share. A hedge beyond it is not made.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from holdfast.model.fault import Fault, FaultKind

HEDGE_PRIMARY_LOST = Fault(FaultKind.HEDGE_PRIMARY_LOST, "the second call of its job answered first", ambiguous=True)
HEDGE_SECONDARY_LOST = Fault(FaultKind.HEDGE_SECONDARY_LOST, "the first call of its job answered first", ambiguous=True)
SAVED = 10.0  # hedges that a quiet time may save up: a provider that turns slow meets all calls in flight at once


@dataclass(frozen=True, slots=True)
class HedgeBudget:
    """``level`` counts the hedges that may be made now."""

    level: float = 0.0


def earn(budget: HedgeBudget, share: float) -> HedgeBudget:
    """A first call was made. Returns the same object when no more can be saved.

    >>> earn(HedgeBudget(), 0.05)
    HedgeBudget(level=0.05)
    """
    if budget.level >= SAVED:
        return budget
    return HedgeBudget(min(SAVED, budget.level + share))


def spend(budget: HedgeBudget) -> HedgeBudget | None:
    """A hedge is wanted. None: the budget is used up.

    >>> spend(HedgeBudget(level=0.9)) is None, spend(HedgeBudget(level=1.5))
    (True, HedgeBudget(level=0.5))
    """
    return HedgeBudget(budget.level - 1.0) if budget.level >= 1.0 else None


def refund(budget: HedgeBudget) -> HedgeBudget:
    """A hedge was wanted, and no route had room for it."""
    return HedgeBudget(min(SAVED, budget.level + 1.0))


def avoiding(avoid: Mapping[str, float | None], routes: Iterable[str]) -> Mapping[str, float | None]:
    """What a second call has to avoid: what its job avoids, and the routes that it must not or need not take."""
    return {**avoid, **dict.fromkeys(routes)}

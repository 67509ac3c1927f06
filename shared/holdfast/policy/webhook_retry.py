"""What becomes of a webhook's delivery after an attempt, and when the next one is. Pure.

Two things fail apart from each other: a receiver that is away (no answer, 5xx, 429), which rests as a whole and is
asked by one delivery at a time, and a delivery that its receiver refuses, which waits by itself.
"""

from dataclasses import dataclass
from enum import StrEnum

from holdfast.policy.backoff import Uniform, retry_delay

GONE = 410
MOMENTARY = frozenset({408, 425, 429})  # 4xx that tell of the moment, not of the delivery (RFC 9110, 8470, 6585)
SERVER_ERRORS = range(500, 600)
SUCCESSES = range(200, 300)
BASE, CAP = 5.0, 21_600.0  # seconds, of the draws for a delivery that is refused
RESTING_BASE, RESTING_CAP = 1.0, 300.0  # seconds, of the draws for a receiver that is away
LONGEST_WISH = 86_400.0  # seconds; no receiver is believed that asks for more


class Step(StrEnum):
    """What is done after an attempt."""

    DELIVERED = "delivered"
    RETRY = "retry"  # this delivery comes again later; others of its receiver go on
    REST = "rest"  # the receiver is away: all of its deliveries wait
    GONE = "gone"  # the receiver wants nothing any more


@dataclass(frozen=True, slots=True)
class ReceiverAnswer:
    """What an attempt came to: ``status`` of HTTP, or None and ``error`` in words. ``retry_after`` in seconds."""

    status: int | None = None
    error: str | None = None
    retry_after: float | None = None
    refused: bool = False
    """Whether the address is one that no webhook may go to: nothing was sent."""

    @property
    def why(self) -> str:
        return self.error or f"HTTP {self.status}"


@dataclass(frozen=True, slots=True)
class NextStep:
    """``delay`` in seconds from now, for a retry or a rest."""

    step: Step
    delay: float = 0.0


def next_step(answer: ReceiverAnswer, attempts: int, failures: int, uniform: Uniform) -> NextStep:
    """Decide after attempt number ``attempts`` of a delivery whose receiver failed ``failures`` times before in a row.

    >>> next_step(ReceiverAnswer(204), 1, 0, lambda low, high: high).step
    <Step.DELIVERED: 'delivered'>
    >>> next_step(ReceiverAnswer(503, retry_after=60.0), 1, 0, lambda low, high: high)
    NextStep(step=<Step.REST: 'rest'>, delay=61.0)
    """
    status, wish = answer.status, min(answer.retry_after or 0.0, LONGEST_WISH)
    if status in SUCCESSES:
        return NextStep(Step.DELIVERED)
    if status == GONE:
        return NextStep(Step.GONE)
    if not answer.refused and (status is None or status in MOMENTARY or status in SERVER_ERRORS):
        delay = retry_delay(failures + 1, wish, base=RESTING_BASE, cap=RESTING_CAP, uniform=uniform)
        return NextStep(Step.REST, delay)
    return NextStep(Step.RETRY, retry_delay(attempts, wish, base=BASE, cap=CAP, uniform=uniform))

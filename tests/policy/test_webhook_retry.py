"""What becomes of a delivery: away is not the same as refused, and a receiver's own wish counts."""

import pytest

from holdfast.policy.webhook_retry import CAP, LONGEST_WISH, RESTING_CAP, NextStep, ReceiverAnswer, Step, next_step


def widest(_low: float, high: float) -> float:
    return high


@pytest.mark.parametrize(
    ("answer", "step"),
    [
        (ReceiverAnswer(200), Step.DELIVERED),
        (ReceiverAnswer(204), Step.DELIVERED),
        (ReceiverAnswer(301), Step.RETRY),
        (ReceiverAnswer(400), Step.RETRY),
        (ReceiverAnswer(404), Step.RETRY),
        (ReceiverAnswer(408), Step.REST),
        (ReceiverAnswer(410), Step.GONE),
        (ReceiverAnswer(429), Step.REST),
        (ReceiverAnswer(500), Step.REST),
        (ReceiverAnswer(503), Step.REST),
        (ReceiverAnswer(error="no answer in time"), Step.REST),
        (ReceiverAnswer(error="10.0.0.1 is private", refused=True), Step.RETRY),
    ],
)
def test_each_answer_has_its_step(answer: ReceiverAnswer, step: Step) -> None:
    assert next_step(answer, 1, 0, widest).step is step


def test_rests_grow_to_minutes_and_retries_to_hours() -> None:
    down, refused = ReceiverAnswer(503), ReceiverAnswer(400)
    assert [next_step(down, 1, n, widest).delay for n in (0, 1, 2, 60)] == [1.0, 2.0, 4.0, RESTING_CAP]
    assert [next_step(refused, n, 0, widest).delay for n in (1, 2, 3, 60)] == [5.0, 10.0, 20.0, CAP]


def test_a_wish_is_a_floor_within_a_day() -> None:
    assert next_step(ReceiverAnswer(429, retry_after=600.0), 1, 0, min) == NextStep(Step.REST, 600.0)
    assert next_step(ReceiverAnswer(503, retry_after=1e9), 1, 0, min).delay == LONGEST_WISH

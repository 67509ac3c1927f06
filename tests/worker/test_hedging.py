"""Of two calls for one job, the first good answer decides."""

from dataclasses import replace

import pytest

from attempts import a_claim, ended
from holdfast.model.attempt import Attempt
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import Permit
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import OnRefusal, Request
from holdfast.policy.hedging import HEDGE_PRIMARY_LOST
from holdfast.worker.hedging import in_order, is_good
from holdfast.worker.slow_calls import GIVEN_UP

PERMIT = Permit("w/1:1", "j", "smart.batch", "a/m", "main", {})
REPLY = Reply(text="yes", finish=Finish.STOP, usage=Usage(input=1, output=1), model="m")
REFUSED = Reply(text="", finish=Finish.REFUSED, usage=Usage(input=1, output=1), model="m")
BROKEN = Fault(FaultKind.SERVER_ERROR)
UNSENT = Fault(FaultKind.UNMAPPABLE)


def attempt(outcome: Reply | Fault, **request) -> Attempt:
    return ended(replace(a_claim(PERMIT), request=Request(turns=(), **request)), PERMIT, outcome)


def test_an_attempt_is_good_when_its_job_can_end_with_it():
    assert is_good(attempt(REPLY))
    assert is_good(attempt(REFUSED))
    assert not is_good(attempt(REFUSED, on_refusal=OnRefusal.REROUTE))
    assert not is_good(attempt(BROKEN))


@pytest.mark.parametrize(
    ("first", "second", "decides"),
    [
        (REPLY, HEDGE_PRIMARY_LOST, REPLY),
        (HEDGE_PRIMARY_LOST, REPLY, REPLY),
        (BROKEN, REPLY, REPLY),
        (REPLY, BROKEN, REPLY),
        (BROKEN, GIVEN_UP, GIVEN_UP),  # the later one
        (BROKEN, UNSENT, BROKEN),  # one that was never made decides nothing
    ],
)
def test_of_two_calls_a_good_one_decides_else_the_later_one_that_was_made(first, second, decides):
    assert in_order(attempt(first), attempt(second))[-1].outcome == decides

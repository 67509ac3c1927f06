"""One table says what is done about each kind of fault; what follows from its columns contradicts none of them."""

import pytest

from holdfast.model.fault import Fault, FaultKind
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.policy.fault_rules import FAULT_RULES, FaultAction, Scope, is_failure, may_be_billed, was_sent
from holdfast.policy.signals import Signal

REPLY = Reply(text="42", finish=Finish.STOP, usage=Usage(input=1, output=1), model="m")


def test_every_kind_has_a_row_and_its_advice_is_its_own() -> None:
    assert FAULT_RULES.keys() == set(FaultKind)
    assert len({rule.advice for rule in FAULT_RULES.values()}) == len(FaultKind)


@pytest.mark.parametrize("kind", FaultKind)
def test_what_never_left_is_not_billed_and_says_nothing_of_a_route(kind: FaultKind) -> None:
    rule = FAULT_RULES[kind]
    if not rule.sent:
        assert not rule.may_be_billed
        assert rule.route is Signal.NONE
        assert rule.endpoint is not Signal.OK


@pytest.mark.parametrize("kind", FaultKind)
def test_only_what_the_job_did_can_end_it(kind: FaultKind) -> None:
    rule = FAULT_RULES[kind]
    if rule.action is FaultAction.BURY or rule.most is not None:
        assert rule.scope is Scope.JOB


@pytest.mark.parametrize("kind", FaultKind)
def test_a_call_that_was_given_up_may_have_run(kind: FaultKind) -> None:
    assert FAULT_RULES[kind].may_be_billed or not FAULT_RULES[kind].given_up


def test_no_byte_left_means_one_thing() -> None:
    unsent = {
        kind for kind in FaultKind if not was_sent(Fault(kind)) and FAULT_RULES[kind].action is not FaultAction.BURY
    }
    assert unsent == {FaultKind.UNMAPPABLE, FaultKind.NO_TOKEN, FaultKind.UNREACHABLE, FaultKind.INTERNAL}
    assert was_sent(REPLY)


def test_a_reply_may_be_billed_and_uses_nothing_up() -> None:
    assert may_be_billed(REPLY)
    assert not is_failure(REPLY)

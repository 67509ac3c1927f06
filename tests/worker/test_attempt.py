"""What SQL and Redis hear of a call: all that it cost, whatever became of it."""

import signal

from holdfast.model.call_result import CallResult
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import Claimed, Need, Outcome, Permit
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import Output, Request, Role, Text, Turn
from holdfast.model.route import Api, Price, Route
from holdfast.model.step import Complete, Reroute, Retry
from holdfast.worker.attempt import judged, settled, settlement
from holdfast.worker.calling import Called

ROUTE = Route("a", "m", Api.ANTHROPIC, "m", ("main",), price=Price(input=5.0, output=25.0))
PERMIT = Permit("w/1:1", "j", "smart.batch", "a/m", "main", {"route:a/m": 0})
REPLY = Reply(text="not JSON", finish=Finish.STOP, usage=Usage(input=10, output=4), model="m")
NOW = 1_000_000.0
RETRY = Retry(delay=1.0, uses_attempt=True, avoid={})


def job(output: Output | None = None) -> Claimed:
    request = Request(turns=(Turn(role=Role.USER, parts=(Text(text="hello"),)),), output=output)
    return Claimed("j", "smart.batch", "smart", 1, 1, 1, 0, 0, 0, Need(5, 5), request, None)


def test_a_reply_is_recorded_with_its_usage_and_cost():
    written = settlement(Called(job(), PERMIT, ROUTE, CallResult(REPLY), REPLY), Complete())
    assert (written.end.outcome, written.end.reply, written.end.cost_micros) == (Outcome.SUCCEEDED, REPLY, 150)


def test_a_reply_that_breaks_the_jobs_schema_is_a_fault_that_was_paid_for():
    asked = job(Output(json_schema={"type": "object"}))
    outcome = judged(asked, REPLY)
    assert isinstance(outcome, Fault)
    assert outcome.kind is FaultKind.BAD_OUTPUT
    called = Called(asked, PERMIT, ROUTE, CallResult(REPLY), outcome)
    written = settlement(called, RETRY)
    assert (written.end.outcome, written.end.cost_micros, written.end.reply) == (Outcome.FAILED, 150, REPLY)
    assert settled(called, RETRY, NOW).usage == REPLY.usage


def test_a_pattern_that_would_take_for_ever_is_given_up():
    schema = {"type": "object", "properties": {"a": {"pattern": "^(a+)+$"}}}
    outcome = judged(job(Output(json_schema=schema)), replace(REPLY, '{"a": "%s!"}' % ("a" * 60)))
    assert isinstance(outcome, Fault)
    assert (outcome.kind, "took more than 0.5 s" in outcome.message) == (FaultKind.BAD_OUTPUT, True)


def test_an_alarm_that_was_set_before_still_rings():
    before = signal.getsignal(signal.SIGALRM)
    left, _ = signal.setitimer(signal.ITIMER_REAL, 600.0)
    try:
        judged(job(Output(json_schema={"type": "object"})), replace(REPLY, "{}"))
        assert signal.getsignal(signal.SIGALRM) is before
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 600.0
    finally:
        signal.setitimer(signal.ITIMER_REAL, left)


def replace(reply: Reply, text: str) -> Reply:
    return reply.model_copy(update={"text": text})


def test_an_ambiguous_fault_is_recorded_as_unknown():
    cut = Fault(FaultKind.CONNECTION_LOST, ambiguous=True)
    assert settlement(Called(job(), PERMIT, ROUTE, CallResult(cut), cut), RETRY).end.outcome is Outcome.UNKNOWN


def test_a_rerouted_job_goes_back_to_its_lane_with_what_it_avoids():
    fault = Fault(FaultKind.SERVER_ERROR)
    heard = settled(
        Called(job(), PERMIT, ROUTE, CallResult(fault), fault), Reroute({"a/m": None}, uses_attempt=False), NOW
    )
    assert heard.requeue is not None
    assert heard.requeue.need.avoid == {"a/m": None}


def test_a_result_that_sql_refused_puts_nothing_back():
    fault = Fault(FaultKind.SERVER_ERROR)
    assert settled(Called(job(), PERMIT, ROUTE, CallResult(fault), fault), None, NOW).requeue is None

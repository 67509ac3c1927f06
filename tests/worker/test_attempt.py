"""What is made of a call's result: judged, decided, and recorded with all that it cost, whatever became of it."""

from holdfast.model.attempt import Attempt
from holdfast.model.call_result import CallResult
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import Claimed, Need, Outcome, Permit
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import Output, Request, Role, Text, Turn
from holdfast.model.route import Api, Price, Route
from holdfast.policy.fault_rules import outcome_of
from holdfast.worker.attempt import judged

ROUTE = Route("a", "m", Api.ANTHROPIC, "m", ("main",), price=Price(input=5.0, output=25.0))
PERMIT = Permit("w/1:1", "j", "smart.batch", "a/m", "main", {"route:a/m": 0})
REPLY = Reply(text="not JSON", finish=Finish.STOP, usage=Usage(input=10, output=4), model="m")


def judging(output: Output | None, result: Reply | Fault) -> Attempt:
    """A call of a job that asked for ``output``, with its result judged."""
    request = Request(turns=(Turn(role=Role.USER, parts=(Text(text="hello"),)),), output=output)
    job = Claimed("j", "smart.batch", "smart", 1, 1, 1, 0, 0, 0, Need(5, 5), request, None)
    return judged(Attempt(job, PERMIT, ROUTE, 1, CallResult(result)))


def test_a_reply_ends_its_attempt_with_its_usage_and_cost():
    attempt = judging(None, REPLY)
    assert (outcome_of(attempt.fault), attempt.reply, attempt.cost_micros) == (Outcome.SUCCEEDED, REPLY, 150)


def test_a_reply_that_breaks_the_jobs_schema_is_a_fault_that_was_paid_for():
    attempt = judging(Output(json_schema={"type": "object"}), REPLY)
    assert attempt.fault is not None
    assert attempt.fault.kind is FaultKind.BAD_OUTPUT
    assert (outcome_of(attempt.fault), attempt.cost_micros, attempt.reply) == (Outcome.FAILED, 150, REPLY)
    assert attempt.usage == REPLY.usage


def test_an_ambiguous_fault_ends_its_attempt_as_unknown():
    assert outcome_of(judging(None, Fault(FaultKind.CONNECTION_LOST, ambiguous=True)).fault) is Outcome.UNKNOWN

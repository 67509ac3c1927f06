"""What is made of a call's result: judged, decided, and recorded with all that it cost, whatever became of it."""

from dataclasses import replace

from holdfast.model.attempt import Attempt
from holdfast.model.call_result import CallResult
from holdfast.model.exception_fault import exception_fault
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import Claimed, Need, Outcome, Permit
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import Must, Output, Request, Role, Text, Turn
from holdfast.model.route import Api, Price, Route
from holdfast.model.step import Complete, Reroute
from holdfast.policy.fault_rules import outcome_of
from holdfast.worker.attempt import judged
from holdfast.worker.decision import counting, reconsidered
from worker.workshop import PLAN, Workshop

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


def test_what_the_other_call_of_a_hedge_cost_and_broke_counts_against_the_jobs_caps():
    attempt = judging(None, REPLY)
    cut, broken = Fault(FaultKind.CONNECTION_LOST, ambiguous=True), exception_fault(ValueError(), sent=True)
    others = [replace(attempt, outcome=outcome) for outcome in (REPLY, cut, broken, Fault(FaultKind.UNREACHABLE))]
    counted = counting(attempt.job, others)
    assert (counted.calls, counted.exceptions) == (attempt.job.calls + 3, 1)
    assert counting(attempt.job, []) is attempt.job


async def test_the_step_is_decided_with_the_calls_of_the_whole_claim(workshop: Workshop):
    """The seventh call failed beside the eighth: there is no ninth."""
    job, permit = await workshop.start()
    cut = Fault(FaultKind.CONNECTION_LOST, ambiguous=True)
    first = Attempt(replace(job, calls=6), permit, PLAN.routes[0], 1, CallResult(cut), cut)
    decided = await workshop.attempts._decide([first, replace(first, number=2)], PLAN)
    assert decided[0].step is None
    assert decided[1].step.reason.kind is FaultKind.EXHAUSTED


def test_a_refusal_that_is_not_taken_as_the_result_is_a_fault_with_the_calls_name():
    refused = REPLY.model_copy(update={"finish": Finish.REFUSED, "provider_request_id": "req_1"})
    assert reconsidered(refused, Complete()) is refused
    fault = reconsidered(refused, Reroute({}, uses_attempt=False))
    assert (fault.kind, fault.provider_request_id) == (FaultKind.REFUSED, "req_1")


async def test_only_a_jobs_first_call_earns_budget_for_retries(workshop: Workshop):
    decisions = workshop.attempts.decisions
    before = decisions.retries.budget
    job, permit = await workshop.start()
    ended = Attempt(replace(job, tries=1), permit, PLAN.routes[0], 1, CallResult(REPLY), REPLY)
    await decisions.decide(ended, [], PLAN)
    assert decisions.retries.budget == before
    await decisions.decide(replace(ended, job=job), [], PLAN)
    assert decisions.retries.budget != before


def test_a_reply_that_breaks_a_rule_of_its_job_is_a_fault():
    request = Request(turns=(), must=(Must(one_of=("JSON",)),))
    job = Claimed("j", "smart.batch", "smart", 1, 1, 1, 0, 0, 0, Need(5, 5), request, None)
    fault = judged(Attempt(job, PERMIT, ROUTE, 1, CallResult(REPLY))).fault
    assert fault is not None
    assert (fault.kind, fault.message) == (FaultKind.BAD_OUTPUT, "the answer breaks must[0], one_of.")

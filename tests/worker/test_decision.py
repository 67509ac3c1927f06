"""What becomes of a job is decided with what the gate, SQL and this process know; without them with what is left."""

from dataclasses import replace

from attempts import ended
from holdfast.model.attempt import Attempt
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import OnRefusal
from holdfast.model.step import Bury, Complete, Reroute, Retry
from holdfast.policy.error_burst import OFTEN
from holdfast.worker.decision import DecisionMaker
from worker.workshop import PLAN, Workshop

REPLY = Reply(text="yes", finish=Finish.STOP, usage=Usage(input=1, output=1), model="m")
REFUSED = Reply(text="", finish=Finish.REFUSED, usage=Usage(input=1, output=1), model="m")
BROKEN = Fault(FaultKind.SERVER_ERROR, "it broke", 500)
EVERYWHERE = Fault(FaultKind.INVALID_REQUEST, "no such role", 400, wrong_everywhere=True)


async def called(workshop: Workshop, answer: Reply | Fault, **job) -> Attempt:
    """A call that just ended; ``job`` is what its claim is to say besides."""
    claimed, permit = await workshop.start()
    return replace(ended(replace(claimed, **job), permit, answer, seconds=0.0), ended_at=workshop.context.gate.now())


async def decided(workshop: Workshop, attempt: Attempt) -> Attempt:
    return await DecisionMaker(workshop.context).decide(attempt, [], PLAN)


async def test_a_failure_is_held_against_what_others_calls_came_to(workshop: Workshop):
    failed = await called(workshop, BROKEN, tries=OFTEN)
    alone = await decided(workshop, failed)
    assert (alone.step.uses_attempt, alone.is_own) == (False, False)
    await workshop.context.gate.finish([replace(alone, step=Retry(9.0, uses_attempt=False, avoid={}))])
    other = await called(workshop, REPLY)
    await workshop.context.gate.finish([replace(other, step=Complete())])
    beside = await decided(workshop, failed)
    assert (beside.step.uses_attempt, beside.is_own) == (True, True)


async def test_without_redis_nothing_counts_against_a_job(workshop: Workshop):
    failed = await called(workshop, BROKEN)
    workshop.server.connected = False
    found = await decided(workshop, failed)
    assert isinstance(found.step, Reroute | Retry)
    assert not found.is_own
    assert not workshop.context.dependencies.redis


async def test_a_burial_tells_what_was_said_before_and_without_sql_what_was_said_last(workshop: Workshop):
    first = await called(workshop, BROKEN)
    await workshop.context.writer.finish([replace(first, step=Retry(0.0, uses_attempt=False, avoid={}))])
    again = replace(first.job, attempt_number=2)
    last = replace(ended(again, first.permit, EVERYWHERE), ended_at=workshop.context.gate.now())
    told = (await decided(workshop, last)).step
    assert isinstance(told, Bury)
    assert "Before that: anthropic/opus: server error (HTTP 500): it broke" in told.reason.message
    workshop.cut_off_sql()
    assert (await decided(workshop, last)).step.reason.message == "no such role"


async def test_a_refusal_that_another_route_may_do_better_with_is_recorded_as_a_refusal(workshop: Workshop):
    refused = await called(workshop, REFUSED)
    request = refused.job.request.model_copy(update={"on_refusal": OnRefusal.REROUTE})
    found = await decided(workshop, replace(refused, job=replace(refused.job, request=request)))
    assert isinstance(found.step, Reroute)
    assert found.fault is not None
    assert found.fault.kind is FaultKind.REFUSED
    assert (await decided(workshop, refused)).outcome == REFUSED

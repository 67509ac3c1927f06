"""An end that SQL refuses is recorded without what it refuses; where nothing can be recorded, the job is broken off."""

import pytest

from holdfast.model.call_result import CallResult, ProviderResponse
from holdfast.model.job import MappingNote, MappingReport, Outcome, State
from holdfast.store import GroupWriter
from holdfast.store.responses import find_response
from holdfast.worker.sweeper import Sweeper
from store.scene import REPLY
from worker.workshop import PLAN, Workshop, until

UNWRITABLE = MappingReport((MappingNote("turns", {1, 2}),))  # type: ignore[arg-type]  # no JSON


async def run(workshop: Workshop) -> str:
    """One attempt of one job."""
    [job] = await workshop.offer()
    permits, _ = await workshop.context.gate.fetch("smart.batch", 1, workshop.context.worker, PLAN)
    [claimed] = await workshop.context.writer.claim(workshop.context.worker, permits)
    workshop.context.slots.take(1)
    workshop.jobs.start(claimed, permits[0], PLAN)
    await until(lambda: not workshop.jobs.running)
    return job


async def test_what_sql_refuses_of_an_answer_is_left_out_and_its_call_is_counted(workshop: Workshop):
    answer = ProviderResponse(200, b'{"content": []}', "req_1")
    workshop.calls.result = CallResult(REPLY, UNWRITABLE, seconds=2.0, response=answer)
    job = await run(workshop)
    assert workshop.context.store.read(find_response, job) == answer
    [attempt] = workshop.scene.attempts(job)
    assert (attempt.fault, attempt.code, attempt.mapping) == ("ours", "exception", ())
    assert workshop.scene.state(job) is State.DELAYED
    assert workshop.jobs.broken == {}


async def test_the_others_of_its_group_are_written(workshop: Workshop):
    workshop.calls.result = CallResult(REPLY, UNWRITABLE)
    bad = await run(workshop)
    workshop.calls.result = CallResult(REPLY)
    good = await run(workshop)
    assert (workshop.scene.state(bad), workshop.scene.state(good)) == (State.DELAYED, State.SUCCEEDED)
    assert not workshop.context.writer.holding


@pytest.mark.parametrize(("left", "calls", "outcome"), [(True, 1, Outcome.UNKNOWN), (False, 0, Outcome.ABANDONED)])
async def test_a_job_of_which_nothing_can_be_recorded_is_broken_off(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, *, left: bool, calls: int, outcome: Outcome
):
    async def refuse(*_: object) -> bool:
        raise ValueError

    def leave(call) -> None:
        call.may_have_left = left

    monkeypatch.setattr(GroupWriter, "finish", refuse)
    workshop.calls.meanwhile = leave
    job = await run(workshop)
    assert workshop.scene.state(job) is State.RUNNING
    await Sweeper(workshop.context, workshop.jobs, workshop.overrides).break_off()
    [attempt] = workshop.scene.attempts(job)
    assert (workshop.scene.job(job).calls, attempt.outcome) == (calls, outcome)
    assert (workshop.scene.state(job), workshop.jobs.broken) == (State.QUEUED, {})

"""Which call repeats an answer with the validator's words, and where the words come from."""

from dataclasses import replace

import pytest

from holdfast.model.attempt import Attempt
from holdfast.model.call_result import CallResult
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.step import Retry
from holdfast.worker.repairs import AnswerRepair, needs_repair
from worker.workshop import PLAN, Workshop

BROKEN = Fault(FaultKind.BAD_OUTPUT, "the answer breaks must[0], one_of.")


@pytest.mark.parametrize(
    ("changes", "repairs"),
    [
        ({}, True),
        ({"attempts": 2}, True),
        ({"attempts": 3}, False),
        ({"attempts": 0}, False),
        ({"fault": FaultKind.CONFLICT}, False),
        ({"fault": None}, False),
    ],
)
async def test_two_repeats_of_a_broken_answer_are_repairs(workshop: Workshop, changes, repairs):
    job, _ = await workshop.start()
    wants = replace(job, attempts=1, fault=FaultKind.BAD_OUTPUT, request=asking(job.request))
    assert needs_repair(replace(wants, **changes)) is repairs
    assert needs_repair(replace(wants, request=job.request)) is False


async def test_a_repair_has_the_words_of_the_last_answer_that_broke_a_rule(workshop: Workshop):
    job, permit = await workshop.start()
    ended = Attempt(job, permit, PLAN.routes[0], 1, CallResult(BROKEN), BROKEN, Retry(0, uses_attempt=True, avoid={}))
    await workshop.context.writer.finish([ended])
    again = replace(job, attempts=1, fault=FaultKind.BAD_OUTPUT, request=asking(job.request))
    request, told = await AnswerRepair(workshop.context).request_of(again)
    assert BROKEN.message in request.turns[-1].parts[0].text
    assert ["repair 1 of 2" in note.note for note in told] == [True]
    assert await AnswerRepair(workshop.context).request_of(job) == (job.request, ())


def asking(request):
    return request.model_copy(update={"repair": True})

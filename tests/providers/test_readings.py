"""What a reading had to mend stands in the job's mapping report; figures that cannot be true are estimated."""

import pytest

from holdfast.model import exact_json
from holdfast.model.reply import Reply
from holdfast.model.request import Output
from holdfast.model.route import Api
from providers.conftest import ask
from providers.loopback import answers, success

C = Api.OPENAI_CHAT


async def test_json_in_a_fence_is_unwrapped_where_json_was_asked_for_and_told(api, call):
    body = success(api, text='```json\n{"a": 1}\n```')
    asked = Output(json_schema={"type": "object", "properties": {"a": {"type": "integer"}}})
    answer, _ = await call(api, answers(200, body), ask(output=asked))
    assert answer.outcome.text == '{"a": 1}'
    assert "reply.text" in [note.field for note in answer.mapping.notes]
    plain, _ = await call(api, answers(200, body), ask())
    assert plain.outcome.text == '```json\n{"a": 1}\n```'


async def test_numbers_that_only_some_parsers_take_do_not_cost_an_answer(call):
    body = b'{"choices":[{"message":{"content":"fine"},"logprobs":{"content":[{"logprob":-Infinity}]},'
    body += b'"finish_reason":"stop"}],"seed":100000000000000000001,"cut":"\\ud83d"}'
    answer, _ = await call(C, answers(200, body))
    assert isinstance(answer.outcome, Reply)
    assert answer.outcome.text == "fine"


@pytest.mark.parametrize("told", [2**64, -1, "many", None, 5.5, True, 10**7 + 1])
async def test_a_figure_that_cannot_be_true_is_estimated_and_the_others_are_kept(call, told):
    usage = {"prompt_tokens": 7, "completion_tokens": told, "total_tokens": told}
    answer, _ = await call(C, answers(200, exact_json.dumps(success(C, usage=usage))))
    assert answer.outcome.usage.estimated
    assert answer.outcome.usage.input == 7
    assert 0 < answer.outcome.usage.output < 100

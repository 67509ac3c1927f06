"""Rules for answers over the doors that wait, through the real SDKs' ``extra_body``, and over the native one."""

import anthropic
import openai
import pytest

from api.openai.conftest import jobs, until
from holdfast.store.jobs import read_request

TERMS = {"must": [{"one_of": ["yes", "no"]}], "repair": True, "metadata": {"team": "a"}}
ASKED = [{"role": "user", "content": "Is it?"}]


def ask_openai(url: str) -> str:
    with openai.OpenAI(base_url=url, api_key="none", max_retries=0) as client:
        answer = client.chat.completions.create(model="smart", messages=ASKED, extra_body={"holdfast": TERMS})
    return str(answer.choices[0].message.content)


def ask_anthropic(url: str) -> str:
    with anthropic.Anthropic(base_url=url.removesuffix("/v1"), api_key="none", max_retries=0) as client:
        answer = client.messages.create(model="smart", max_tokens=9, messages=ASKED, extra_body={"holdfast": TERMS})
    return answer.content[0].text


@pytest.mark.parametrize("ask", [ask_openai, ask_anthropic])
def test_a_waiting_call_may_say_what_its_answer_must_be(ask, url, store, worker, beside) -> None:
    waiting = beside.submit(ask, url)
    until(lambda: jobs(store))
    [job] = jobs(store)
    request = store.read(read_request, job.id)
    assert (request.must[0].one_of, request.repair, dict(job.metadata)) == (("yes", "no"), True, {"team": "a"})
    assert b"holdfast" not in request.written.body
    until(lambda: worker.answer("smart.interactive"))
    assert waiting.result(timeout=20)


def test_terms_that_cannot_be_meant_are_the_callers_mistake(client) -> None:
    with pytest.raises(openai.BadRequestError, match="must"):
        client.chat.completions.create(
            model="smart", messages=ASKED, extra_body={"holdfast": {"must": [{"regex": "("}]}}
        )

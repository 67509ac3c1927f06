"""What a simulated provider answers is what the official SDKs' own types expect."""

import anthropic.types
import openai.types.chat
import openai.types.responses
import orjson
import pytest

from lab.providers.asking import asking, chat, messages, responses

SCHEMA = {"type": "object", "properties": {"count": {"type": "integer"}}, "required": ["count"]}


async def test_messages_answers_a_message() -> None:
    async with asking() as sim:
        status, headers, body = await sim.ask(*messages("What is a queue?"))
    said = anthropic.types.Message.model_validate(body)
    assert (status, said.content[0].text, said.stop_reason) == (200, "answer to What is a queue?", "end_turn")
    assert headers["request-id"].startswith("req_")


async def test_chat_answers_a_completion() -> None:
    async with asking() as sim:
        _, headers, body = await sim.ask(*chat("What is a queue?"))
    said = openai.types.chat.ChatCompletion.model_validate(body)
    assert said.choices[0].message.content == "answer to What is a queue?"
    assert said.choices[0].finish_reason == "stop"
    assert headers["x-request-id"].startswith("req_")


async def test_responses_answers_a_response_with_reasoning_before_the_text() -> None:
    async with asking() as sim:
        _, _, body = await sim.ask(*responses("What is a queue?", reasoning={"effort": "low"}))
    said = openai.types.responses.Response.model_validate(body)
    assert [item.type for item in said.output] == ["reasoning", "message"]
    assert said.output_text == "answer to What is a queue?"


async def test_usage_is_computed_from_the_bodies() -> None:
    async with asking() as sim:
        path, body = messages("x" * 400)
        _, _, said = await sim.ask(path, body)
        usage = said["usage"]
        assert usage["input_tokens"] == pytest.approx(len(orjson.dumps(body)) / 4, rel=0.1)
        assert usage["output_tokens"] == pytest.approx(len(said["content"][0]["text"]) / 4, abs=1)
        assert sim.sim.counts()["usage"] == {"input": usage["input_tokens"], "output": usage["output_tokens"]}


async def test_a_schema_is_answered_with_an_instance_in_every_format() -> None:
    shape = {"type": "json_schema", "schema": SCHEMA}
    async with asking() as sim:
        _, _, one = await sim.ask(*messages(output_config={"format": shape}))
        named = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}}
        _, _, two = await sim.ask(*chat(response_format=named))
        _, _, three = await sim.ask(*responses(text={"format": {"name": "n", **shape}}))
    texts = [
        one["content"][0]["text"],
        two["choices"][0]["message"]["content"],
        three["output"][0]["content"][0]["text"],
    ]
    assert [orjson.loads(text) for text in texts] == [{"count": 1}] * 3


async def test_a_forced_tool_is_called_in_every_format() -> None:
    async with asking() as sim:
        tools = [{"name": "add", "input_schema": SCHEMA}]
        _, _, one = await sim.ask(*messages(tools=tools, tool_choice={"type": "tool", "name": "add"}))
        function = {"name": "add", "parameters": SCHEMA}
        _, _, two = await sim.ask(*chat(tools=[{"type": "function", "function": function}], tool_choice="required"))
        flat = {"type": "function", **function, "strict": True}
        _, _, three = await sim.ask(*responses(tools=[flat], tool_choice={"type": "function", "name": "add"}))
    assert anthropic.types.Message.model_validate(one).content[0].input == {"count": 1}
    call = openai.types.chat.ChatCompletion.model_validate(two).choices[0].message.tool_calls[0]
    assert (call.function.name, orjson.loads(call.function.arguments)) == ("add", {"count": 1})
    item = openai.types.responses.Response.model_validate(three).output[0]
    assert (item.name, orjson.loads(item.arguments)) == ("add", {"count": 1})
    assert (one["stop_reason"], two["choices"][0]["finish_reason"]) == ("tool_use", "tool_calls")


async def test_max_tokens_cuts_the_answer_and_says_so() -> None:
    async with asking() as sim:
        _, _, one = await sim.ask(*messages("tell me everything", max_tokens=2))
        _, _, two = await sim.ask(*chat("tell me everything", max_completion_tokens=2))
        _, _, three = await sim.ask(*responses("tell me everything", max_output_tokens=2))
    assert (one["stop_reason"], one["content"][0]["text"]) == ("max_tokens", "answer t")
    assert two["choices"][0]["finish_reason"] == "length"
    assert (three["status"], three["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (messages(max_tokens=None, messages=[]), "at least one message"),
        (messages(temperature=1), "temperature: Extra inputs are not permitted"),
        (messages(""), "non-empty"),
        (messages(messages=[{"role": "assistant", "content": "x"}]), "user role"),
        (messages(messages=[{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]), "prefill"),
        (messages(tool_choice={"type": "tool", "name": "gone"}), "not found"),
        (chat(messages=[]), "'messages'"),
        (chat(wrong=1), "'wrong'"),
        (chat(stop=["1", "2", "3", "4", "5"]), "'stop'"),
        (chat(messages="hi"), "array of objects"),
        (chat(response_format={"type": "json_schema", "json_schema": {}}), "json_schema.name"),
        (responses(input=None), "'input'"),
        (responses(text={"format": {"type": "json_schema", "schema": {}}}), "text.format.name"),
    ],
)
async def test_a_wrong_body_gets_the_400_of_its_provider(request_, said) -> None:
    async with asking() as sim:
        status, _, body = await sim.ask(*request_)
    assert status == 400
    assert said in body["error"]["message"]
    assert body["error"]["type"] == "invalid_request_error"


async def test_no_key_or_another_one_gets_401() -> None:
    async with asking(keys=("good",)) as sim:
        assert await sim.status(*messages(), authorization="Bearer bad") == 401
        assert await sim.status(*messages(), authorization="", x_api_key="good") == 200
        assert await sim.status(*chat(), authorization="Bearer good") == 200


async def test_an_unknown_model_gets_404() -> None:
    async with asking(models=("gpt",)) as sim:
        assert await sim.status(*messages()) == 404
        status, _, body = await sim.ask(*chat(model="other"))
        assert (status, body["error"]["code"]) == (404, "model_not_found")

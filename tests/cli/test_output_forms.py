"""``run --output``: what went in as a line of a batch API comes out as one, whichever provider answered."""

import json
from itertools import count

import pytest
from anthropic.types.messages import MessageBatchIndividualResponse
from openai.types import CreateEmbeddingResponse
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

from cli.conftest import jsonl
from holdfast.model.job import State
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import ToolUse

MESSAGES = [{"role": "user", "content": "hello"}]
CHAT = {
    "custom_id": "a",
    "method": "POST",
    "url": "/v1/chat/completions",
    "body": {"model": "smart", "messages": MESSAGES},
}
RESPONSES = {"custom_id": "a", "method": "POST", "url": "/v1/responses", "body": {"model": "smart", "input": "hello"}}
CLAUDE = {"custom_id": "a", "params": {"model": "smart", "max_tokens": 9, "messages": MESSAGES}}
EMBEDDING = {"custom_id": "a", "method": "POST", "url": "/v1/embeddings", "body": {"model": "smart", "input": "hello"}}
PLAIN = {"custom_id": "a", "model": "smart", "prompt": "hello"}
COMPLETION = (
    b'{"z":100000000000000000001,"id": "chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{'
    b'"index":0,"finish_reason":"tool_calls","logprobs":null,\n"message":{"role":"assistant","content":"Hi.",'
    b'"refusal":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"pay",'
    b'"arguments":"{\\"wei\\":100000000000000000000,\\"a\\":1}"}}]}}]}'
)
MESSAGE = (
    b'{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[{"type":"thinking","thinking":"hm",'
    b'"signature":"c2ln"},{"type":"text","text":"Hi.","citations":null},{"type":"tool_use","id":"toolu_1",'
    b'"name":"pay","input":{"wei":100000000000000000000,"a":1}}],"stop_reason":"tool_use","stop_sequence":null,'
    b'"usage":{"input_tokens":5,"output_tokens":3}}'
)
VECTORS = (
    b'{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.10,-0.2]}],"model":"e",'
    b'"usage":{"prompt_tokens":2,"total_tokens":2}}'
)
REPLY = Reply(
    text="Hi.",
    tool_calls=(ToolUse(id="call_1", name="pay", input={"wei": 10**20, "a": 1}),),
    finish=Finish.TOOL_CALLS,
    usage=Usage(input=5, output=3),
    model="m",
)
OPENAI_ERROR = b'{"error":{"message":"no such parameter","type":"invalid_request_error","param":"seed","code":"bad"}}'
ANTHROPIC_ERROR = b'{"type":"error","error":{"type":"invalid_request_error","message":"no"},"request_id":"req_9"}'
FACTS = {"id", "status", "route", "attempts", "cost_usd", "mapping"}


@pytest.fixture
def through(cli, worker, tmp_path):
    """Run one line, answered in between as ``answer`` says, and return its output line as text."""
    numbers = count()

    def run(line: dict, answer=lambda worker: worker.answer(), *options: str) -> str:
        number = next(numbers)
        source, out = tmp_path / f"in{number}.jsonl", tmp_path / f"out{number}.jsonl"
        source.write_text(json.dumps(line) + "\n")
        assert cli("submit", source).status == 0
        answer(worker)
        cli("run", source, "-o", out, *options)
        (text,) = out.read_text().splitlines()
        return text

    return run


@pytest.mark.parametrize(
    ("line", "body", "type_"),
    [(CHAT, COMPLETION, ChatCompletion), (EMBEDDING, VECTORS, CreateEmbeddingResponse)],
    ids=["chat", "embeddings"],
)
def test_an_openai_line_comes_back_with_the_providers_own_body(through, line, body, type_) -> None:
    text = through(line, lambda worker: worker.respond(body))
    assert body.replace(b"\n", b" ").decode() in text, "every byte, but line ends between values"
    read = json.loads(text)
    assert set(read) == {"id", "custom_id", "response", "error", "holdfast"}
    assert (read["custom_id"], read["error"]) == ("a", None)
    assert (read["response"]["status_code"], read["response"]["request_id"]) == (200, "req_1")
    assert set(read["holdfast"]) == FACTS
    type_.model_validate(read["response"]["body"])


def test_an_anthropic_line_comes_back_as_its_sdk_reads_it(through) -> None:
    text = through(CLAUDE, lambda worker: worker.respond(MESSAGE))
    assert MESSAGE.decode() in text
    result = MessageBatchIndividualResponse.model_validate_json(text).result
    assert (result.type, result.message.content[0].signature) == ("succeeded", "c2ln")
    assert set(json.loads(text)["holdfast"]) == FACTS


@pytest.mark.parametrize(("line", "type_"), [(CHAT, ChatCompletion), (RESPONSES, Response)], ids=["chat", "responses"])
@pytest.mark.parametrize("body", [MESSAGE, None], ids=["answered by Claude", "not kept"])
def test_an_answer_of_another_format_is_written_in_the_lines_own(through, line, type_, body) -> None:
    answer = (lambda worker: worker.respond(body, REPLY)) if body else (lambda worker: worker.answer())
    read = json.loads(through(line, answer))
    written = type_.model_validate(read["response"]["body"])
    assert written.object == read["response"]["body"]["object"]
    if body:
        assert "100000000000000000000" in json.dumps(read), "integers of any size, in the arguments of a call"


def test_an_answer_of_openai_is_written_as_a_message_for_an_anthropic_line(through) -> None:
    read = MessageBatchIndividualResponse.model_validate_json(
        through(CLAUDE, lambda worker: worker.respond(COMPLETION, REPLY))
    )
    assert read.result.type == "succeeded"
    assert read.result.message.content[-1].input == {"wei": 10**20, "a": 1}


def test_an_error_of_the_provider_is_its_own_in_its_own_form(through) -> None:
    read = json.loads(through(CHAT, lambda worker: worker.bury(body=OPENAI_ERROR)))
    assert read["response"] == {"status_code": 400, "request_id": "req_2", "body": json.loads(OPENAI_ERROR)}
    assert read["error"] is None
    result = MessageBatchIndividualResponse.model_validate_json(
        through(CLAUDE, lambda worker: worker.bury(body=ANTHROPIC_ERROR))
    ).result
    assert (result.type, result.error.request_id, result.error.error.message) == ("errored", "req_9", "no")


def test_an_error_in_another_form_is_written_in_the_lines_own(through) -> None:
    read = json.loads(through(CHAT, lambda worker: worker.bury(body=ANTHROPIC_ERROR)))["response"]
    assert (read["status_code"], read["body"]["error"]["code"]) == (400, "bad_parameter")
    result = MessageBatchIndividualResponse.model_validate_json(
        through(CLAUDE, lambda worker: worker.bury(body=b"<html>no</html>"))
    ).result
    assert (result.type, result.error.error.type) == ("errored", "invalid_request_error")
    assert "no such parameter" in result.error.error.message


def test_a_line_that_ended_without_an_answer_has_the_codes_of_its_api(through, cli) -> None:
    def cancel(_worker) -> None:
        cli("batch", "cancel", cli("batch", "list", "--json").json["batches"][0]["id"])

    read = json.loads(through(CHAT, cancel))
    assert (read["response"], read["error"]["code"]) == (None, "batch_cancelled")
    assert MessageBatchIndividualResponse.model_validate_json(through(CLAUDE, cancel)).result.type == "canceled"


def test_each_form_can_be_asked_for_of_any_line(through) -> None:
    plain = json.loads(through(CHAT, lambda worker: worker.respond(COMPLETION), "--output", "plain"))
    assert (plain["reply"]["text"], plain["status"]) == ("HELLO", "succeeded")
    openai = json.loads(through(PLAIN, lambda worker: worker.answer(), "--output", "openai"))
    assert ChatCompletion.model_validate(openai["response"]["body"]).choices[0].message.content == "HELLO"
    claude = through(PLAIN | {"custom_id": "b"}, lambda worker: worker.answer(), "--output", "anthropic")
    assert MessageBatchIndividualResponse.model_validate_json(claude).result.message.content[0].text == "HELLO"


def test_a_plain_output_of_an_embedding_has_its_vectors(through) -> None:
    plain = json.loads(through(EMBEDDING, lambda worker: worker.respond(VECTORS), "--output", "plain"))
    assert plain["reply"]["body"] == json.loads(VECTORS)


def test_an_embedding_stays_an_answer_of_its_own_api_where_messages_are_asked_for(through) -> None:
    read = json.loads(through(EMBEDDING, lambda worker: worker.respond(VECTORS), "--output", "anthropic"))
    assert read["response"]["body"] == json.loads(VECTORS)


def test_an_answer_that_strict_json_cannot_hold_is_given_as_it_came(through) -> None:
    body = COMPLETION.replace(b'"logprobs":null', b'"logprobs":-Infinity')
    assert '"logprobs":-Infinity' in through(CHAT, lambda worker: worker.respond(body))


def test_each_line_of_a_mixed_file_has_its_own_form_and_bad_ones_too(cli, worker, tmp_path) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    bad = [CHAT | {"body": {"model": "smart"}}, {"custom_id": "c", "params": {"model": "smart"}}, {"prompt": 5}]
    source.write_text("".join(json.dumps(line) + "\n" for line in [CHAT, CLAUDE, PLAIN, *bad]))
    cli("submit", source)
    worker.answer()
    assert cli("run", source, "-o", out).status == 3
    chat, claude, plain, bad_chat, bad_claude, bad_plain = jsonl(out)
    assert "response" in chat
    assert claude["result"]["type"] == "succeeded"
    assert plain["reply"]["text"] == "HELLO"
    assert (bad_chat["response"], bad_chat["error"]["code"]) == (None, "invalid_line")
    assert "body.messages" in bad_chat["error"]["message"]
    error = MessageBatchIndividualResponse.model_validate(bad_claude).result.error.error
    assert (error.type, "params.messages" in error.message) == ("invalid_request_error", True)
    assert bad_plain["status"] == "invalid"


def test_a_form_that_is_none_is_told_with_the_option_that_was_meant(cli, prompts, tmp_path) -> None:
    ended = cli("run", prompts("a"), "-o", tmp_path / "out.jsonl", "--output", "answers.jsonl")
    assert ended.status == 2
    assert (
        "expected auto, plain, openai, anthropic, got 'answers.jsonl'. The file to write is -o answers.jsonl"
        in ended.err
    )


def test_a_cost_is_null_where_no_price_is_known(cli, worker, tmp_path, settings) -> None:
    file = settings.source
    file.write_text(file.read_text().replace(", price = { input = 5.0, output = 25.0 }", ""))
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(json.dumps(PLAIN) + "\n")
    cli("submit", source)
    worker.answer(free=True)
    cli("run", source, "-o", out)
    (line,) = jsonl(out)
    assert line["cost_usd"] is None
    assert cli("job", "show", line["id"], "--json").json["cost_usd"] is None


class TestResponse:
    def test_the_body_is_printed_byte_for_byte(self, cli, worker, tmp_path) -> None:
        source = tmp_path / "in.jsonl"
        source.write_text(json.dumps(CHAT) + "\n")
        cli("submit", source)
        worker.respond(COMPLETION)
        (job,) = cli("job", "list", "--json").json["jobs"]
        assert job["state"] == State.SUCCEEDED
        assert cli("job", "show", job["id"], "--response").out.encode() == COMPLETION

    def test_a_job_that_nobody_answered_has_none(self, cli, prompts) -> None:
        cli("submit", prompts("a"))
        (job,) = cli("job", "list", "--json").json["jobs"]
        ended = cli("job", "show", job["id"], "--response")
        assert ended.status == 4
        assert "has no response: no provider has answered it" in ended.err

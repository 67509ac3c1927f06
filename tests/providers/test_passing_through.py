"""What was written goes to a provider of its own format as it was, and the answer is kept as it came."""

import json
from dataclasses import replace

import pytest

from holdfast.model.call_result import ProviderResponse
from holdfast.model.fault import FaultKind
from holdfast.model.reply import Finish, Reply
from holdfast.model.request import Strictness
from holdfast.model.route import Api
from holdfast.model.written import WrittenRequest
from holdfast.providers.sdk_provider import MOST_OF_AN_ERROR
from holdfast.wire.written import read_written
from providers.conftest import ask, fault
from providers.loopback import answers, closes, error, http, says, success

MESSAGES = b'"messages": [{"role": "user", "content": [{"type": "launched_next_month", "wei": 100000000000000000001}]}]'
BODY = b'{ "zeta": {"b": 1, "a": 1.50}, "model": "alias", "max_tokens": 5, %s, "alpha": null }'
INPUT = b'"input": [{"type": "launched_next_month", "wei": 100000000000000000001}]'
PATHS = {Api.ANTHROPIC: "/v1/messages", Api.OPENAI_CHAT: "/chat/completions", Api.OPENAI_RESPONSES: "/responses"}
KEYS = [
    (b'%s"%s": ' % (comma, key), b'%s"%s":' % (comma.strip(), key))
    for comma, key in (
        (b"", b"zeta"),
        (b", ", b"model"),
        (b", ", b"max_tokens"),
        (b", ", b"messages"),
        (b", ", b"input"),
        (b", ", b"alpha"),
    )
]
IN_PATH = {Api.ANTHROPIC_BEDROCK, Api.ANTHROPIC_VERTEX}  # these clouds have the model in the path
AS_FIELDS = IN_PATH | {Api.AZURE_OPENAI, Api.AZURE_OPENAI_RESPONSES}


def body_of(api: Api) -> bytes:
    return BODY % (INPUT if api.wire is Api.OPENAI_RESPONSES else MESSAGES)


def written(api: Api, body: bytes | None = None, path: str = "", headers=None, **terms: object):
    """A request as the API hands it on. Only what is sent to other formats depends on the reading."""
    request = WrittenRequest(api.wire, path or PATHS[api.wire], body or body_of(api), headers or {})
    reading = read_written(request) if path or body else ask().model_copy(update={"written": request})
    return reading.model_copy(update=terms)


def compact(body: bytes) -> bytes:
    """``body`` with the name of the model, and without the white space between its own keys."""
    for written_so, sent_so in ((b"{ ", b"{"), (b" }", b"}"), (b"alias", b"m"), *KEYS):
        body = body.replace(written_so, sent_so, 1)
    return body


async def test_a_route_of_its_own_format_gets_the_bytes_that_were_written(api, call):
    answer, server = await call(api, answers(200, success(api)), written(api))
    (seen,) = server.seen
    assert isinstance(answer.outcome, Reply)
    if api in AS_FIELDS:  # their SDKs take fields: values and their order are the same, white space is theirs
        wanted = {key: value for key, value in json.loads(body_of(api)).items() if key != "model" or api not in IN_PATH}
        wanted |= {} if api in IN_PATH else {"model": "m"}
        sent = [(key, value) for key, value in json.loads(seen.body).items() if key != "anthropic_version"]
        assert sent == list(wanted.items())
        assert list(json.loads(seen.body)["zeta"]) == ["b", "a"]
    else:
        assert seen.body == compact(body_of(api))
    assert answer.mapping.notes == ()


async def test_another_format_gets_what_the_reading_says(call):
    request = written(Api.OPENAI_CHAT, b'{"model": "alias", "messages": [{"role": "user", "content": "hi"}]}')
    answer, server = await call(Api.ANTHROPIC, answers(200, success(Api.ANTHROPIC)), request)
    assert isinstance(answer.outcome, Reply)
    assert server.seen[0].path == "/v1/messages"
    assert server.seen[0].json["messages"] == [{"role": "user", "content": "hi"}]


async def test_what_is_changed_is_told_and_an_exact_job_refuses_it(call):
    api = Api.OPENAI_CHAT
    streamed = WrittenRequest(api, PATHS[api], b'{"stream": true, "messages": [{"role": "user", "content": "hi"}]}')
    answer, server = await call(api, answers(200, success(api)), ask().model_copy(update={"written": streamed}))
    assert [note.field for note in answer.mapping.notes] == ["stream"]
    assert b"stream" not in server.seen[0].body
    exact = ask(strictness=Strictness.EXACT).model_copy(update={"written": streamed})
    answer, server = await call(api, answers(200, success(api)), exact)
    assert fault(answer).kind is FaultKind.UNMAPPABLE
    assert server.seen == []


async def test_headers_of_the_request_are_sent_and_none_of_them_logs_in(api, call):
    headers = {"anthropic-beta": "a-1,b-2", "x-session-affinity": "s", "authorization": "Bearer stolen"}
    if api.wire is not Api.ANTHROPIC:
        headers.pop("anthropic-beta")
    _, server = await call(
        api, answers(200, success(api)), written(api, headers=headers | {"x-holdfast-attempt": "forged"})
    )
    (seen,) = server.seen
    assert seen.headers["x-session-affinity"] == "s"
    assert seen.headers["x-holdfast-attempt"] == "job_1/0/1"
    assert "Bearer stolen" not in seen.headers.values()
    if api.wire is Api.ANTHROPIC:
        assert "a-1,b-2" in (seen.headers.get("anthropic-beta"), ",".join(seen.json.get("anthropic_beta", [])))


PASSING = {
    "/embeddings": {
        "object": "list",
        "data": [{"embedding": [0.1, -0.2]}],
        "model": "e",
        "usage": {"prompt_tokens": 3},
    },
    "/moderations": {"id": "m", "model": "mod", "results": [{"flagged": False}]},
    "/completions": {
        "choices": [{"text": "so it goes", "finish_reason": "length"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4},
    },
    "/images/generations": {
        "created": 1,
        "data": [{"b64_json": "aGk="}],
        "usage": {"input_tokens": 3, "output_tokens": 9},
    },
    "/rerank": {"results": [{"index": 0, "relevance_score": 0.5}], "usage": {"total_tokens": 3}},
    "/launched/next_month": {"anything": True},
}


@pytest.mark.parametrize("path", PASSING)
async def test_endpoints_beyond_chat_pass_through_both_ways(call, path):
    api = Api.OPENAI_CHAT
    body = json.dumps(PASSING[path]).encode() + b"\n "
    request = written(api, b'{"input": ["a", "b"], "model": "alias", "prompt": "a", "query": "q"}', path)
    answer, server = await call(api, says(http(200, body, x_request_id="req_1")), request)
    assert server.seen[0].path == f"/v1{path}"
    assert server.seen[0].json == {"input": ["a", "b"], "model": "m", "prompt": "a", "query": "q"}
    reply = answer.outcome
    assert isinstance(reply, Reply)
    assert answer.response == ProviderResponse(200, body, "req_1")
    assert reply.usage.input > 0
    if path == "/completions":
        assert (reply.text, reply.finish, reply.usage.output) == ("so it goes", Finish.LENGTH, 4)


@pytest.mark.parametrize(
    "body",
    [{"object": "list"}, {"data": None}, {"error": {"message": "no", "code": "x"}}, [], "text", 7, {"msg": "no"}],
)
async def test_an_answer_of_another_shape_is_no_embedding_and_is_kept(call, body):
    request = written(Api.OPENAI_CHAT, b'{"input": "a"}', "/embeddings")
    answer, _ = await call(Api.OPENAI_CHAT, answers(200, body), request)
    assert isinstance(fault(answer).kind, FaultKind)
    assert answer.response is not None
    assert json.loads(answer.response.body) == body


async def test_azure_posts_an_endpoint_to_its_deployment(call):
    request = written(Api.AZURE_OPENAI, b'{"input": "a", "wei": 100000000000000000001}', "/embeddings")
    answer, server = await call(Api.AZURE_OPENAI, answers(200, PASSING["/embeddings"]), request)
    assert isinstance(answer.outcome, Reply)
    assert server.seen[0].path == "/openai/deployments/m/embeddings?api-version=2024-10-21"
    assert b"100000000000000000001" in server.seen[0].body


async def test_an_answer_is_kept_byte_for_byte(api, call):
    body = json.dumps(success(api)).encode().replace(b"{", b'{ "wei":  100000000000000000001,\n', 1) + b"\n"
    answer, _ = await call(api, says(http(200, body, request_id="req_7")))
    assert isinstance(answer.outcome, Reply)
    assert answer.response == ProviderResponse(200, body, "req_7")


async def test_a_number_that_is_none_costs_no_answer(call):
    body = json.dumps(success(Api.OPENAI_CHAT)).encode().replace(b"{", b'{"logprob": -Infinity, "x": NaN, ', 1)
    answer, _ = await call(Api.OPENAI_CHAT, says(http(200, body)))
    assert isinstance(answer.outcome, Reply)
    assert answer.response is not None
    assert answer.response.body == body


@pytest.mark.parametrize("body", [b"", b"not json", b'{"choices": []', b"[" * 5_000])
async def test_an_answer_that_cannot_be_read_is_kept_for_a_person(call, body):
    answer, _ = await call(Api.OPENAI_CHAT, says(http(200, body)))
    assert fault(answer).kind is FaultKind.BAD_ANSWER
    assert answer.response == ProviderResponse(200, body)


async def test_an_error_is_kept_as_far_as_a_person_reads(call):
    told = error(Api.OPENAI_CHAT, "invalid_request_error", "no such parameter")
    answer, _ = await call(Api.OPENAI_CHAT, answers(400, told))
    assert answer.response is not None
    assert (answer.response.status, json.loads(answer.response.body)) == (400, told)
    answer, _ = await call(Api.OPENAI_CHAT, says(http(500, b"x" * 100_000)))
    assert answer.response == ProviderResponse(500, b"x" * MOST_OF_AN_ERROR)
    answer, _ = await call(Api.OPENAI_CHAT, says(http(500, b"")))
    assert answer.response is None
    answer, _ = await call(Api.OPENAI_CHAT, closes)
    assert answer.response is None


async def test_a_ceiling_that_a_provider_named_lowers_what_is_asked_for(api, call):
    maxima = b'"max_tokens": 64000, "max_output_tokens": 64000'
    as_written = written(api)
    as_written = as_written.model_copy(
        update={"written": replace(as_written.written, body=body_of(api).replace(b'"max_tokens": 5', maxima))}
    )
    for asked in (ask(max_tokens=64_000), as_written):
        answer, server = await call(api, answers(200, success(api)), asked, ceiling=4_096)
        assert 4_096 in [value for key, value in server.seen[0].json.items() if key.startswith("max_")]
        assert any("4096" in note.note for note in answer.mapping.notes)


async def test_our_own_maximum_gives_way_to_a_ceiling(call):
    answer, server = await call(Api.ANTHROPIC, answers(200, success(Api.ANTHROPIC)), ask(), ceiling=4_096)
    assert server.seen[0].json["max_tokens"] == 4_096
    assert answer.mapping.notes == ()


async def test_a_large_request_is_sent_whole_and_its_length_told(api, call):
    text = '"%s"' % ("a long story " * 100_000)
    body = body_of(api).replace(b"null", text.encode())
    request = written(api)
    request = request.model_copy(update={"written": replace(request.written, body=body)})
    answer, server = await call(api, answers(200, success(api)), request)
    assert isinstance(answer.outcome, Reply)
    assert len(server.seen[0].json["alpha"]) == 1_300_000
    assert int(server.seen[0].headers["content-length"]) == len(server.seen[0].body)

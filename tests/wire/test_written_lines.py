"""Lines of the batch APIs: the body is kept as it was written, the url decides, and headers travel by an allow-list."""

import json

import pytest

from holdfast.model.errors import InvalidRequest
from holdfast.model.request import Strictness
from holdfast.model.route import Api, Plan, Route
from holdfast.wire.batch_line import read_job
from holdfast.wire.endpoints import place, read_url, takes
from holdfast.wire.strictness import allowed
from holdfast.wire.written import has_reading, read_written

CHAT = {"model": "m", "messages": [{"role": "user", "content": "Hello."}]}
CHAT_BODY = b'{"model" : "m","messages":[{"role":"user","content":"Hello."}],"z":1,"a":100000000000000000001}'
MESSAGES_BODY = b'{"model":"m","max_tokens":5, "messages":[{"role":"user","content":"Hello."}]}'


def written(line):
    request = read_job(line).request
    assert request.written is not None
    return request.written


def refusal(line) -> str:
    with pytest.raises(InvalidRequest) as caught:
        read_job(line)
    return str(caught.value)


def route(name: str, model: str = "m", api: Api = Api.OPENAI_CHAT, **more) -> Route:
    return Route(name, model, api, model, ("main",), **more)


def test_a_body_is_kept_byte_for_byte():
    kept = written(b'{"custom_id":"a","url":"/v1/chat/completions","body":%s}' % CHAT_BODY)
    assert (kept.api, kept.path, kept.body) == (Api.OPENAI_CHAT, "/chat/completions", CHAT_BODY)
    kept = written(b'{"custom_id":"a","params":%s}' % MESSAGES_BODY)
    assert (kept.api, kept.path, kept.body) == (Api.ANTHROPIC, "/v1/messages", MESSAGES_BODY)


def test_a_dict_is_written_with_its_keys_in_order_and_its_integers_whole():
    body = {"z": 10**20, **CHAT, "a": {"y": 1, "b": 2}}
    assert written({"body": body}).body == json.dumps(body, separators=(",", ":")).encode()


def test_what_json_cannot_hold_is_refused():
    assert "cannot be written as JSON" in refusal({"body": CHAT | {"z": float("nan")}})


def test_the_reading_that_a_worker_makes_is_that_of_the_door():
    request = read_job(b'{"url":"/v1/chat/completions","body":%s}' % CHAT_BODY).request
    assert request.written is not None
    assert read_written(request.written) == request


@pytest.mark.parametrize(
    ("url", "api", "path"),
    [
        ("/v1/chat/completions", Api.OPENAI_CHAT, "/chat/completions"),
        ("/chat/completions", Api.OPENAI_CHAT, "/chat/completions"),
        ("v1/chat/completions", Api.OPENAI_CHAT, "/chat/completions"),
        ("/v1/chat/completions/", Api.OPENAI_CHAT, "/chat/completions"),
        ("/openai/deployments/g/chat/completions?api-version=2024-10-21", Api.OPENAI_CHAT, "/chat/completions"),
        ("/openai/v1/chat/completions", Api.OPENAI_CHAT, "/chat/completions"),
        ("https://api.openai.com/v1/chat/completions", Api.OPENAI_CHAT, "/chat/completions"),
        ("https://h.example/some/gateway/chat/completions", Api.OPENAI_CHAT, "/chat/completions"),
        ("https://x.openai.azure.com/openai/v1/responses", Api.OPENAI_RESPONSES, "/responses"),
        ("/v1/responses", Api.OPENAI_RESPONSES, "/responses"),
        ("/v1/messages", Api.ANTHROPIC, "/v1/messages"),
        ("/v1/messages?beta=true", Api.ANTHROPIC, "/v1/messages"),
        ("/messages", Api.ANTHROPIC, "/v1/messages"),
        ("https://api.anthropic.com/v1/messages", Api.ANTHROPIC, "/v1/messages"),
    ],
)  # fmt: skip
def test_a_url_names_its_endpoint_in_every_spelling(url, api, path):
    body = CHAT | {"max_tokens": 5, "input": "Hello."}
    kept = written({"url": url, "body": body if api is not Api.OPENAI_RESPONSES else {"model": "m", "input": "Hi."}})
    assert (kept.api, kept.path) == (api, path)


def test_azures_deployment_is_the_model_of_a_body_that_names_none():
    body = {"messages": CHAT["messages"]}
    assert read_job({"url": "/openai/deployments/gpt%205/chat/completions", "body": body}).model == "gpt 5"


@pytest.mark.parametrize("path", ["/embeddings", "/moderations", "/completions", "/images/generations", "/rerank"])
@pytest.mark.parametrize("prefix", ["", "/v1", "https://api.example/v1"])
def test_an_endpoint_without_a_neutral_form_passes_through(path, prefix):
    request = read_job(
        {"url": prefix + path, "body": {"model": "m", "input": "x", "prompt": "x", "query": "x"}}
    ).request
    assert request.written is not None
    assert (request.written.path, request.turns, has_reading(request.written)) == (path, (), False)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"body": {"model": "m", "input": "x"}}, "url: is missing, and a body with input may be for /v1/responses or"),
        ({"body": {"model": "m", "input": ["x"], "dimensions": 3}}, "url: is missing"),
        ({"body": {"model": "m", "prompt": "x"}}, "url: is missing"),
        ({"body": {"model": "m", "query": "x"}}, "url: is missing, and a body with query may be for /v1/rerank"),
        ({"url": "/v1/chat/completions", "body": {"model": "m", "input": "x"}}, "This body fits /v1/responses or"),
        ({"url": "/v1/embeddings", "body": CHAT}, "body.input: is missing, and /v1/embeddings needs it. This body"),
        ({"url": "/v1/messages", "body": {"model": "m", "prompt": "x"}}, "body.messages: is missing, and /v1/messages"),
        ({"url": "/v1/embeddings", "body": {"model": "m", "input": None}}, "body.input: is missing"),
        ({"url": "ftp://x/v1/embeddings", "body": {"model": "m", "input": "x"}}, "url: expected the path"),
        ({"url": "/v1/../secrets", "body": {"model": "m"}}, "url: expected the path of an endpoint"),
        ({"url": "/v1/embeddings?key=abc", "body": {"model": "m", "input": "x"}}, "url.key: logs in"),
    ],
)  # fmt: skip
def test_a_body_that_cannot_belong_to_its_url_is_refused_by_what_it_lacks(line, said):
    assert said in refusal(line)


def test_a_conversation_under_input_needs_no_url():
    assert written({"body": {"model": "m", "input": [{"role": "user", "content": "x"}]}}).api is Api.OPENAI_RESPONSES
    assert written({"body": {"model": "m", "input": "x", "instructions": "y"}}).api is Api.OPENAI_RESPONSES


def test_betas_become_a_header_and_leave_the_body():
    params = b'{"betas": ["b-1", "b-2"], "model":"m","max_tokens":5, "messages":[{"role":"user","content":"x"}] }'
    kept = written(b'{"headers":{"Anthropic-Beta":"b-0, b-1"},"params":%s}' % params)
    assert kept.headers == {"anthropic-beta": "b-0,b-1,b-2"}
    assert kept.body == b'{"model":"m","max_tokens":5,"messages":[{"role":"user","content":"x"}]}'


def test_the_arguments_of_the_sdks_are_put_where_the_sdks_put_them():
    body = CHAT | {
        "extra_headers": {"X-Title": "t"},
        "extra_query": {"trace": "on"},
        "extra_body": {"seed": 10**20, "z": 1},
    }
    kept = written({"url": "/v1/chat/completions", "body": body})
    assert kept.headers == {"x-title": "t"}
    assert kept.path == "/chat/completions?trace=on"
    assert json.loads(kept.body) == CHAT | {"seed": 10**20, "z": 1}


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({"Authorization": "Bearer x"}, "headers.authorization: logs in"),
        ({"x-api-key": "x"}, "headers.x-api-key: logs in"),
        ({"API-Key": "x"}, "headers.api-key: logs in"),
        ({"Cookie": "x"}, "headers.cookie: logs in"),
        ({"anthropic-auth-token": "x"}, "headers.anthropic-auth-token: logs in"),
        ({"Host": "x"}, "headers.host: says where a call goes"),
        ({"OpenAI-Organization": "x"}, "headers.openai-organization: says where"),
        ({"anthropic-workspace-id": "x"}, "headers.anthropic-workspace-id: says where"),
        ({"Content-Type": "text/plain"}, "headers.content-type: is no header that travels"),
        ({"anthropic-beta": 1}, "headers.anthropic-beta: expected a text"),
        ({"anthropic-beta": "a\r\nHost: b"}, "headers.anthropic-beta: expected a text"),
        ({"anthropic-beta\r\nhost": "a"}, "says where"),
        ("x", "headers: expected an object"),
    ],
)  # fmt: skip
def test_a_header_that_logs_in_or_routes_is_refused(headers, said):
    assert said in refusal({"headers": headers, "body": CHAT})


def test_a_model_beside_the_body_overrides_the_bodys():
    line = read_job({"model": "smart", "body": CHAT})
    assert (line.model, json.loads(line.request.written.body)["model"]) == ("smart", "m")


def test_terms_hold_for_a_written_request():
    request = read_job({"mapping": "never", "body": CHAT}).request
    assert (request.strictness, request.written_in) == (Strictness.NEVER, "openai-chat")


class TestRoutes:
    def plan(self, *routes: Route, **more) -> Plan:
        return Plan("smart", routes, **more)

    def embedding(self):
        return read_job({"url": "/v1/embeddings", "body": {"model": "smart", "input": "x"}}).request

    def names(self, request, plan):
        return [each.name for each in allowed(request, plan)]

    def test_an_embedding_keeps_to_the_first_model(self):
        plan = self.plan(route("a", "e"), route("b", "f"), route("c", "e"), route("d", "e", Api.ANTHROPIC))
        assert self.names(self.embedding(), plan) == ["a/e", "c/e"]

    def test_the_models_of_an_interchangeable_plan_may_all_be_taken(self):
        plan = self.plan(route("a", "e"), route("b", "f"), interchangeable=True)
        assert self.names(self.embedding(), plan) == ["a/e", "b/f"]

    def test_a_request_without_a_form_elsewhere_keeps_to_its_format(self):
        request = read_job({"url": "/v1/moderations", "body": {"model": "smart", "input": "x"}}).request
        plan = self.plan(route("a", api=Api.ANTHROPIC), route("b"), route("c", "other"))
        assert self.names(request, plan) == ["b/m", "c/other"]

    def test_an_endpoint_of_a_server_alone_is_taken_where_the_settings_allow_it(self):
        kept = written({"url": "/v1/fim/completions", "body": {"model": "m", "prompt": "x"}})
        plain, allowing = route("a"), route("b", endpoints=("/v1/fim/completions",))
        assert (takes(plain, kept.path), takes(allowing, kept.path)) == (False, True)
        assert place(kept, self.plan(plain)) is None

    def test_a_request_takes_the_format_of_the_first_route_that_has_its_endpoint(self):
        kept = written({"url": "/v1/messages/count_tokens", "body": CHAT})
        counting = route("b", api=Api.ANTHROPIC, endpoints=("/v1/messages/count_tokens",))
        placed = place(kept, self.plan(route("a"), counting))
        assert placed is not None
        assert (placed.api, placed.path) == (Api.ANTHROPIC, "/v1/messages/count_tokens")


def test_a_url_without_a_path_is_none():
    with pytest.raises(InvalidRequest):
        read_url("/")

"""Addresses and methods that nothing answers, told in the shape of whose client asks, with what was meant."""

import anthropic
import httpx2
import openai
import pytest

from producing import served

ASKED = [{"role": "user", "content": "Hi"}]


@pytest.fixture
def url(settings, store):
    with served(settings) as url:
        yield url


def test_a_base_url_that_lacks_a_version_or_has_two_is_told_how_to_end(url) -> None:
    for base, hint in ((url, "end in /v1"), (f"{url}/v1/v1", "one /v1 for OpenAI's")):
        with (
            openai.OpenAI(base_url=base, api_key="none", max_retries=0) as client,
            pytest.raises(openai.NotFoundError) as it,
        ):
            client.chat.completions.create(model="smart", messages=ASKED)
        assert hint in str(it.value)
    with (
        anthropic.Anthropic(base_url=f"{url}/v1", api_key="none", max_retries=0) as client,
        pytest.raises(anthropic.NotFoundError, match="without /v1 for Anthropic's SDK"),
    ):
        client.messages.create(model="smart", max_tokens=9, messages=ASKED)


def test_an_unknown_path_and_a_wrong_method_are_named(url) -> None:
    with openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        with pytest.raises(openai.NotFoundError, match="there is nothing at GET /v1/responses/resp_1") as unknown:
            client.responses.retrieve("resp_1")
        assert unknown.value.code == "unknown_url"
        with pytest.raises(openai.APIStatusError, match="/v1/chat/completions takes POST, not GET") as wrong:
            client.chat.completions.list()
        assert (wrong.value.status_code, wrong.value.response.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("headers", "status", "told"),
    [
        ({}, 400, {"message": "limit: Input should be less than or equal to 100", "param": "limit"}),
        ({"anthropic-version": "2023-06-01"}, 400, {"message": "limit: Input should be less than or equal to 1000"}),
    ],
)
def test_a_parameter_is_named_as_its_sender_does(url, headers, status, told) -> None:
    path = "/v1/messages/batches" if headers else "/v1/batches"
    answer = httpx2.get(f"{url}{path}?limit=5000", headers=headers)
    assert answer.status_code == status
    assert told.items() <= answer.json()["error"].items()


def test_a_body_that_is_no_json_is_told_without_words_of_another_api(url) -> None:
    for path in ("chat/completions", "responses", "messages"):
        message = httpx2.post(f"{url}/v1/{path}", content=b"{").json()["error"]["message"]
        assert message.startswith("body: is no JSON")
        assert "jobs" not in message


@pytest.mark.parametrize("path", ["/v1/batches", "/api/v1/dlq/replay"])
def test_json_that_is_sent_as_something_else_is_told_so(url, path) -> None:
    answer = httpx2.post(f"{url}{path}", content=b"{}", headers={"content-type": "text/plain"})
    assert "body: is no JSON by its Content-Type; send application/json" in answer.text


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/v1/models", "/api/v1/jobs", "/api/v1/events", "/ui"])
def test_whatever_answers_get_answers_head_without_a_body(url, path) -> None:
    answer = httpx2.head(f"{url}{path}", timeout=20)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"]


def test_head_of_what_only_takes_posts_is_refused(url) -> None:
    answer = httpx2.head(f"{url}/v1/chat/completions")
    assert (answer.status_code, answer.headers["allow"], answer.content) == (405, "POST", b"")


def test_errors_name_calls_and_no_commands_to_whom_a_command_is_of_no_use(url) -> None:
    for path in ("messages/batches/msgbatch_" + "0" * 32, "batches/batch_" + "0" * 32):
        answer = httpx2.get(f"{url}/v1/{path}")
        assert (answer.status_code, "`holdfast" in answer.text) == (404, False)

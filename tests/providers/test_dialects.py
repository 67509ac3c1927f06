"""Servers that speak the Chat format in their own way: shapes as they were recorded from them."""

import pytest

from holdfast.model.fault import FaultKind as Kind
from holdfast.model.reply import Finish, Reply
from holdfast.model.route import Api, Dialect, Site
from holdfast.providers.connect import connect
from holdfast.wire.chat.server_profile import SERVER_PROFILES, dialect_of
from providers.conftest import ask, fault
from providers.loopback import Loopback, answers, base_url, success

C = Api.OPENAI_CHAT
MIDNIGHT = "Tue, 24 Nov 2026 07:59:00 GMT"  # a minute before, in California


def google(code, status, message="no", *details):
    return [{"error": {"code": code, "message": message, "status": status, "details": list(details)}}]


def quota(name):
    return {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": name}]}


RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "45.837906927s"}
INVALID_KEY = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
FREE = "Quota exceeded for metric: generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 0"
LM = "Trying to keep the first 6547 tokens when context the overflows. However, the model is loaded with 4096 tokens"
VLLM = "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        # Gemini
        (400, google(400, "INVALID_ARGUMENT", "API key not valid.", INVALID_KEY), Kind.AUTH),
        (400, google(400, "INVALID_ARGUMENT", "API Key not found."), Kind.AUTH),
        (429, google(429, "RESOURCE_EXHAUSTED", "x", RETRY), Kind.RATE_LIMITED),
        (429, google(429, "RESOURCE_EXHAUSTED", FREE, RETRY), Kind.FORBIDDEN),
        (400, google(400, "INVALID_ARGUMENT", 'Unknown name "seed": Cannot find field.'), Kind.INVALID_REQUEST),
        (400, google(400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum number of tokens allowed"),
         Kind.TOO_LONG),
        (400, google(400, "FAILED_PRECONDITION", "User location is not supported"), Kind.FORBIDDEN),
        (404, google(404, "NOT_FOUND", "models/x is not found"), Kind.MODEL_NOT_FOUND),
        (503, google(503, "UNAVAILABLE", "The model is overloaded."), Kind.OVERLOADED),
        # vLLM, old and new
        (400, {"object": "error", "message": VLLM, "type": "BadRequestError", "code": 400}, Kind.TOO_LONG),
        (400, {"error": {"message": VLLM, "type": "BadRequestError", "param": None, "code": 400}}, Kind.TOO_LONG),
        (404, {"object": "error", "message": "The model `x` does not exist.", "type": "NotFoundError", "code": 404},
         Kind.MODEL_NOT_FOUND),
        (401, {"error": "Unauthorized"}, Kind.AUTH),
        # Ollama
        (404, {"error": {"message": 'model "x" not found, try pulling it first', "type": "api_error"}},
         Kind.MODEL_NOT_FOUND),
        (503, {"error": {"message": "server busy, please try again.  maximum pending requests exceeded"}},
         Kind.OVERLOADED),
        (503, {"error": "Server overloaded, please retry shortly"}, Kind.OVERLOADED),
        # llama.cpp
        (503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}, Kind.OVERLOADED),
        (400, {"error": {"code": 400, "message": "the request exceeds the available context size",
                         "type": "exceed_context_size_error", "n_ctx": 4096}}, Kind.TOO_LONG),
        (401, {"error": {"code": 401, "message": "Invalid API Key", "type": "authentication_error"}}, Kind.AUTH),
        # LM Studio
        (400, {"error": LM}, Kind.TOO_LONG),
        (200, {"error": LM}, Kind.TOO_LONG),
        (400, {"error": "The number of tokens to keep from the initial prompt is greater than the context length"},
         Kind.TOO_LONG),
        (400, {"error": {"message": "No models loaded. Please load a model."}}, Kind.MODEL_NOT_FOUND),
        # OpenRouter
        (402, {"error": {"message": "This request requires more credits", "code": 402}}, Kind.SPEND_LIMIT),
        (429, {"error": {"message": "Provider returned error", "code": 429,
                         "metadata": {"error_type": "rate_limit_exceeded"}}}, Kind.RATE_LIMITED),
        (200, {"error": {"message": "Provider returned error", "code": 429}}, Kind.RATE_LIMITED),
        (400, {"error": {"message": "x/y is not a valid model ID", "code": 400}}, Kind.MODEL_NOT_FOUND),
    ],
)  # fmt: skip
async def test_the_errors_of_a_dialect_keep_their_meaning(call, status, body, kind):
    answer, _ = await call(C, answers(status, body))
    assert (fault(answer).kind, fault(answer).status) == (kind, status)


@pytest.mark.parametrize(
    ("body", "wait"),
    [
        (google(429, "RESOURCE_EXHAUSTED", "x", quota("GenerateRequestsPerMinutePerProject"), RETRY), 45.837906927),
        (google(429, "RESOURCE_EXHAUSTED", "x", quota("GenerateRequestsPerDayPerProjectPerModel"), RETRY), 60.0),
        (google(429, "RESOURCE_EXHAUSTED", "Please retry in 11.5s."), 11.5),
        ({"error": {"message": "Rate limit exceeded: free-models-per-day", "code": 429,
                    "metadata": {"headers": {"X-RateLimit-Reset": "1795507260000"}}}}, 120.0),
    ],
    ids=["a minute's quota", "a day's quota", "only in words", "OpenRouter's reset"],
)  # fmt: skip
async def test_the_wait_is_found_wherever_it_stands(call, body, wait):
    answer, _ = await call(C, answers(429, body, date=MIDNIGHT))
    assert fault(answer).kind is Kind.RATE_LIMITED
    assert fault(answer).retry_after == pytest.approx(wait)


async def test_a_prompt_that_openrouters_moderation_turned_away_is_refused(call):
    flagged = {"reasons": ["violence"], "flagged_input": "…", "provider_name": "x"}
    answer, _ = await call(C, answers(403, {"error": {"code": 403, "message": "x", "metadata": flagged}}))
    assert isinstance(answer.outcome, Reply)
    assert answer.outcome.finish is Finish.REFUSED


async def test_calls_are_trusted_over_the_finish_reason_and_ids_may_repeat(call):
    calls = [{"id": "call_1", "function": {"name": "f", "arguments": "{}"}}] * 2
    body = success(C, choices=[{"message": {"content": None, "tool_calls": calls}, "finish_reason": "stop"}])
    answer, _ = await call(C, answers(200, body))
    assert isinstance(answer.outcome, Reply)
    assert answer.outcome.finish is Finish.TOOL_CALLS
    assert len({each.id for each in answer.outcome.tool_calls}) == 2


async def test_a_server_that_cuts_long_prompts_in_silence_is_told_of_in_the_mapping_report():
    long = ask("What does a queue do while the provider is away? " * 1_000)
    body = success(C, usage={"prompt_tokens": 2_048, "completion_tokens": 4})
    async with Loopback(answers(200, body)) as server:
        for dialect, notes in ((Dialect.OLLAMA, ["turns"]), (Dialect.COMPATIBLE, [])):
            provider = connect(C, base_url(C, server.url), "k", concurrency=1, site=Site(dialect=dialect))
            result = await provider.complete("m", long, deadline=5, tag="t")
            assert isinstance(result.outcome, Reply)
            assert [note.field for note in result.mapping.notes] == notes
            await provider.close()


def test_every_dialect_has_its_flavour():
    assert set(SERVER_PROFILES) == set(Dialect)


@pytest.mark.parametrize(
    ("address", "dialect"),
    [
        ("https://generativelanguage.googleapis.com/v1beta/openai", Dialect.GEMINI),
        ("https://openrouter.ai/api/v1", Dialect.OPENROUTER),
        ("http://localhost:11434/v1", Dialect.OLLAMA),
        ("http://localhost:1234/v1", Dialect.LM_STUDIO),
        ("https://api.openai.com/v1", Dialect.OPENAI),
        ("https://notopenai.com/v1", Dialect.COMPATIBLE),
    ],
)
def test_a_dialect_is_recognised_by_the_address(address, dialect):
    assert dialect_of(address) is dialect


def test_gemini_is_sent_no_field_that_it_does_not_know():
    from holdfast.wire import chat  # noqa: PLC0415  beside the table it is about

    request = ask(native={"openai-chat": {"seed": 7, "frequency_penalty": 0.1}}, user="u")
    body, report = chat.write_request(request, "gemini-3-pro", SERVER_PROFILES[Dialect.GEMINI])
    assert not {"seed", "frequency_penalty", "user"} & body.keys()
    assert len(report.notes) == 3

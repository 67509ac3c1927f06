"""Each row of the table of failures, from the bytes on the wire to the kind of fault."""

import json
from typing import Any

import pytest

from holdfast.model.exception_fault import EXCEPTION
from holdfast.model.fault import FaultKind as Kind
from holdfast.model.json_bounds import MOST_BRACKETS
from holdfast.model.reply import Finish, Reply
from holdfast.model.route import Api
from holdfast.providers import sdk_provider
from providers.conftest import ask, fault
from providers.loopback import answers, error, success

A, C, R = Api.ANTHROPIC, Api.OPENAI_CHAT, Api.OPENAI_RESPONSES
HTML = b"<html><body>Sorry, you have been blocked</body></html>"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Kind.INVALID_REQUEST),
        (401, Kind.AUTH),
        (402, Kind.SPEND_LIMIT),
        (403, Kind.FORBIDDEN),
        (404, Kind.MODEL_NOT_FOUND),
        (408, Kind.REQUEST_TIMEOUT),
        (409, Kind.CONFLICT),
        (413, Kind.TOO_LONG),
        (418, Kind.INVALID_REQUEST),
        (422, Kind.INVALID_REQUEST),
        (429, Kind.RATE_LIMITED),
        (499, Kind.REQUEST_TIMEOUT),
        (500, Kind.SERVER_ERROR),
        (501, Kind.SERVER_ERROR),
        (502, Kind.SERVER_ERROR),
        (503, Kind.SERVER_ERROR),
        (504, Kind.SERVER_ERROR),
        (520, Kind.SERVER_ERROR),
        (524, Kind.SERVER_ERROR),
        (529, Kind.OVERLOADED),
        (530, Kind.SERVER_ERROR),
    ],
)
async def test_a_status_alone_has_a_meaning(api, call, status, kind):
    answer, _ = await call(api, answers(status, b"", request_id="req_9"))
    found = fault(answer)
    assert (found.kind, found.status, found.ambiguous) == (kind, status, False)
    assert found.provider_request_id == "req_9"


@pytest.mark.parametrize(
    ("api", "told", "kind"),
    [
        # money, whatever status it came with
        (A, (429, "rate_limit_error", "enforced_spend_limit_reached"), Kind.SPEND_LIMIT),
        (A, (429, "rate_limit_error", "contract_spend_limit_reached"), Kind.SPEND_LIMIT),
        (A, (402, "billing_error", "linked_organization_spend_limit_reached"), Kind.SPEND_LIMIT),
        (A, (400, "invalid_request_error", "organization_on_hold"), Kind.SPEND_LIMIT),
        (A, (403, "billing_error", None), Kind.SPEND_LIMIT),
        # what the key's owner may not do, whatever status it came with
        (A, (400, "invalid_request_error", "workspace_human_review_disabled"), Kind.FORBIDDEN),
        (A, (400, "invalid_request_error", "organization_not_eligible"), Kind.FORBIDDEN),
        (A, (503, "api_error", "authorization_check_unavailable"), Kind.OVERLOADED),
        (C, (429, "insufficient_quota", "insufficient_quota"), Kind.SPEND_LIMIT),
        (C, (429, "insufficient_quota", "credit_balance_exhausted"), Kind.SPEND_LIMIT),
        (C, (429, "insufficient_quota", None), Kind.SPEND_LIMIT),
        (R, (429, "insufficient_quota", "project_spend_limit_exceeded"), Kind.SPEND_LIMIT),
        (R, (429, "insufficient_quota", "organization_usage_limit_exceeded"), Kind.SPEND_LIMIT),
        (C, (400, "billing", "billing_hard_limit_reached"), Kind.SPEND_LIMIT),
        # growth
        (A, (429, "rate_limit_error", "ramp_limit_exceeded"), Kind.RAMP_LIMITED),
        (C, (429, "rate_limit_error", "slow_down"), Kind.RAMP_LIMITED),
        (C, (503, "rate_limit_error", "slow_down"), Kind.RAMP_LIMITED),
        # rate
        (A, (429, "rate_limit_error", None), Kind.RATE_LIMITED),
        (C, (429, "requests", "rate_limit_exceeded"), Kind.RATE_LIMITED),
        # size
        (C, (400, "invalid_request_error", "context_length_exceeded"), Kind.TOO_LONG),
        (R, (400, "invalid_request_error", "string_above_max_length"), Kind.TOO_LONG),
        (A, (413, "request_too_large", None), Kind.TOO_LONG),
        # load
        (A, (529, "overloaded_error", None), Kind.OVERLOADED),
        (A, (500, "overloaded_error", None), Kind.OVERLOADED),
        (C, (503, "server_error", "server_is_overloaded"), Kind.OVERLOADED),
        (A, (500, "api_error", None), Kind.SERVER_ERROR),
        (A, (504, "timeout_error", None), Kind.SERVER_ERROR),
        # who, what
        (A, (401, "authentication_error", None), Kind.AUTH),
        (C, (401, "invalid_request_error", "invalid_api_key"), Kind.AUTH),
        (C, (404, "invalid_request_error", "model_not_found"), Kind.MODEL_NOT_FOUND),
        (C, (400, "invalid_request_error", "model_not_found"), Kind.MODEL_NOT_FOUND),
        (A, (403, "permission_error", None), Kind.FORBIDDEN),
        (A, (400, "invalid_request_error", None), Kind.INVALID_REQUEST),
        (C, (400, "invalid_request_error", "unsupported_parameter"), Kind.INVALID_REQUEST),
    ],
)
async def test_the_code_decides_before_the_status(call, api, told, kind):
    status, type_, code = told
    answer, _ = await call(api, answers(status, error(api, type_, code=code)))
    assert fault(answer).kind is kind
    assert fault(answer).code == (code or type_)


@pytest.mark.parametrize(
    ("api", "status", "message", "kind"),
    [
        (A, 400, "prompt is too long: 250000 tokens > 200000 maximum", Kind.TOO_LONG),
        (A, 400, "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000", Kind.TOO_LONG),
        (A, 400, "You have reached your specified API usage limits. Access returns on 2026-12-01.", Kind.SPEND_LIMIT),
        (A, 400, "Your credit balance is too low to access the Anthropic API.", Kind.SPEND_LIMIT),
        (C, 429, "Request too large for gpt-x on tokens per min: Limit 30000, Requested 40000.", Kind.TOO_LONG),
        (C, 400, "This model's maximum context length is 8192 tokens. However, you requested 9000.", Kind.TOO_LONG),
    ],
)  # fmt: skip
async def test_where_no_code_tells_the_words_do(call, api, status, message, kind):
    code = "rate_limit_exceeded" if status == 429 else None
    answer, _ = await call(api, answers(status, error(api, "invalid_request_error", message, code)))
    assert fault(answer).kind is kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Kind.SERVER_ERROR),
        (403, Kind.SERVER_ERROR),
        (413, Kind.TOO_LONG),
        (429, Kind.RATE_LIMITED),
        (502, Kind.SERVER_ERROR),
    ],
)
async def test_html_comes_from_what_stands_before_the_api(api, call, status, kind):
    answer, _ = await call(api, answers(status, HTML, content_type="text/html; charset=UTF-8"))
    assert fault(answer).kind is kind
    assert "blocked" not in fault(answer).message


def google(code: int, status: str, message: str, *details: dict[str, Any]) -> list[Any]:
    return [{"error": {"code": code, "message": message, "status": status, "details": list(details)}}]


RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "45.837906927s"}
REASON = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}
DAILY = {"@type": "t/google.rpc.QuotaFailure", "violations": [{"quotaId": "GenerateRequestsPerDayPerProject"}]}


async def test_google_tells_a_bad_key_as_400(call):
    for details in ([REASON], []):
        body = google(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", *details)
        answer, _ = await call(C, answers(400, body))
        assert fault(answer).kind is Kind.AUTH


async def test_google_tells_the_wait_in_the_body(call):
    answer, _ = await call(C, answers(429, google(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", RETRY)))
    assert (fault(answer).kind, fault(answer).retry_after) == (Kind.RATE_LIMITED, 45.837906927)


async def test_googles_daily_quota_waits_for_midnight_in_california(call):
    body = google(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", DAILY, RETRY)
    answer, _ = await call(C, answers(429, body, date="Tue, 24 Nov 2026 07:00:00 GMT"))
    assert fault(answer).retry_after == 3600


async def test_google_tells_a_wrong_field_as_400(call):
    body = google(400, "INVALID_ARGUMENT", 'Unknown name "seed": Cannot find field.')
    answer, _ = await call(C, answers(400, body))
    assert fault(answer).kind is Kind.INVALID_REQUEST


# ---- waits


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7),
        ({"retry_after": "1.5"}, 1.5),
        ({"retry_after_ms": "250", "retry_after": "9"}, 0.25),
        ({"retry_after": "Tue, 24 Nov 2026 12:01:30 GMT", "date": "Tue, 24 Nov 2026 12:00:00 GMT"}, 90),
        ({"retry_after": "Tue, 24 Nov 2026 11:00:00 GMT", "date": "Tue, 24 Nov 2026 12:00:00 GMT"}, 0),
        ({"retry_after": "-3"}, 0),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "nan"}, None),
        ({}, None),
    ],
)
async def test_the_wait_is_read_in_every_form(api, call, headers, seconds):
    answer, _ = await call(api, answers(429, error(api, "rate_limit_error"), **headers))
    assert fault(answer).retry_after == seconds


# ---- failures inside of a 200


def failed(code: str) -> dict[str, Any]:
    return success(R, status="failed", output=[], error={"code": code, "message": "x"})


def said(part: dict[str, Any]) -> dict[str, Any]:
    return success(R, output=[{"type": "message", "content": [part]}])


@pytest.mark.parametrize(
    ("api", "body", "kind"),
    [
        (A, error(A, "overloaded_error"), Kind.OVERLOADED),
        (A, error(A, "api_error"), Kind.BAD_ANSWER),
        (A, success(A, content=[], stop_reason=None), Kind.BAD_ANSWER),
        (C, {"error": {"message": "x", "code": "server_is_overloaded"}}, Kind.OVERLOADED),
        (C, {"error": {"message": "x", "code": 502}}, Kind.BAD_ANSWER),
        (C, success(C, choices=[]), Kind.BAD_ANSWER),
        (C, success(C, choices=[{"message": {"content": "x"}, "finish_reason": "error"}]), Kind.SERVER_ERROR),
        (C, success(C, choices=[{"message": {"content": None}, "finish_reason": None}]), Kind.BAD_ANSWER),
        (R, failed("server_error"), Kind.BAD_ANSWER),
        (R, failed("rate_limit_exceeded"), Kind.RATE_LIMITED),
        (R, failed("invalid_prompt"), Kind.INVALID_REQUEST),
        (R, success(R, status="cancelled"), Kind.BAD_ANSWER),
        (R, success(R, status="in_progress", output=[]), Kind.BAD_ANSWER),
    ],
)  # fmt: skip
async def test_a_200_may_tell_of_a_failure(call, api, body, kind):
    answer, _ = await call(api, answers(200, body))
    assert (fault(answer).kind, fault(answer).status) == (kind, 200)


# ---- ends that are no failures


@pytest.mark.parametrize(
    ("api", "body", "finish"),
    [
        (A, success(A, content=[]), Finish.STOP),
        (A, success(A, content=[{"type": "server_tool_use"}]), Finish.STOP),
        (A, success(A, stop_reason=None), Finish.STOP),
        (A, success(A, stop_reason="pause_turn"), Finish.OTHER),
        (A, success(A, stop_reason="of another year"), Finish.OTHER),
        (A, success(A, stop_reason="model_context_window_exceeded"), Finish.LENGTH),
        (A, success(A, stop_reason="max_tokens"), Finish.LENGTH),
        (A, success(A, stop_reason="max_tokens", content=[]), Finish.LENGTH),
        (A, success(A, stop_reason="refusal", content=[]), Finish.REFUSED),
        (A, success(A, stop_reason="stop_sequence", stop_sequence="END"), Finish.STOP),
        (C, success(C, choices=[{"message": {"content": "x"}, "finish_reason": None}]), Finish.STOP),
        (C, success(C, choices=[{"message": {"content": None}, "finish_reason": "stop"}]), Finish.STOP),
        (C, success(C, choices=[{"message": {"content": "x"}, "finish_reason": "length"}]), Finish.LENGTH),
        (C, success(C, choices=[{"message": {"content": None}, "finish_reason": "content_filter"}]), Finish.REFUSED),
        (C, success(C, choices=[{"message": {"refusal": "No."}, "finish_reason": "stop"}]), Finish.REFUSED),
        (R, success(R, output=[]), Finish.STOP),
        (R, success(R, status="incomplete", incomplete_details={"reason": "?"}), Finish.OTHER),
        (R, success(R, status="incomplete", incomplete_details={"reason": "max_output_tokens"}), Finish.LENGTH),
        (R, success(R, status="incomplete", incomplete_details={"reason": "content_filter"}), Finish.REFUSED),
        (R, said({"type": "refusal", "refusal": "No."}), Finish.REFUSED),
    ],
)  # fmt: skip
async def test_a_whole_answer_is_a_reply_however_it_ended(call, api, body, finish):
    answer, _ = await call(api, answers(200, body))
    assert isinstance(answer.outcome, Reply)
    assert answer.outcome.finish is finish


# ---- what a fault tells


async def test_a_fault_tells_what_the_provider_said(call):
    words = "max_completion_tokens is too large: 999999. This model supports at most 128000."
    answer, _ = await call(C, answers(400, error(C, "invalid_request_error", words, "invalid_value")))
    assert fault(answer).message == f"400 invalid_value: {words}"


async def test_a_fault_never_tells_a_key(call):
    words = "Incorrect API key provided: sk-secret-of-the-test. You can find your key at https://platform."
    answer, _ = await call(C, answers(401, error(C, "invalid_request_error", words, "invalid_api_key")))
    assert "sk-secret" not in fault(answer).message


async def test_a_fault_never_tells_the_prompt(api, call):
    prompt = "The patient in room 12 complains of a pain that nobody must read about."
    words = f"Invalid value: {prompt} is not allowed."
    answer, _ = await call(api, answers(400, error(api, "invalid_request_error", words)), ask(prompt))
    assert "patient" not in fault(answer).message
    assert fault(answer).message == "400 invalid_request_error"


@pytest.mark.parametrize("broken", ["_understand", "read_limits", "request_id"])
async def test_whatever_breaks_in_taking_an_answer_in_its_call_is_counted_and_the_answer_kept(
    call, monkeypatch, broken
):
    """A bug of ours after the send: not a word of the answer may be lost, and nobody may take it for no call."""

    def bug(*_: object, **__: object) -> None:
        raise OverflowError("the words of an answer")

    monkeypatch.setattr(sdk_provider.SdkProvider if broken == "_understand" else sdk_provider, broken, bug)
    answer, server = await call(A, answers(200, success(A)))
    found = fault(answer)
    assert (found.kind, found.code, found.status, found.ambiguous) == (Kind.INTERNAL, EXCEPTION, 200, True)
    assert "OverflowError" in found.message
    assert "the words" not in found.message
    assert json.loads(answer.response.body) == success(A)
    assert len(server.seen) == 1


async def test_an_answer_of_brackets_alone_is_never_parsed(call):
    whole = json.dumps(success(A)).encode()
    answer, _ = await call(A, answers(200, whole[:-1] + b',"more":[' + b"[]," * MOST_BRACKETS + b"0]}"), deadline=60)
    assert fault(answer).kind is Kind.BAD_ANSWER
    assert "brackets" in fault(answer).message

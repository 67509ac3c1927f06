"""Errors as providers answer them, and what each means. Written from their documentation; the sentences are our own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from holdfast.model.fault import FaultKind as K
from holdfast.model.route import Api

A, C, R = Api.ANTHROPIC, Api.OPENAI_CHAT, Api.OPENAI_RESPONSES
BEDROCK, OPENAI_BEDROCK = Api.ANTHROPIC_BEDROCK, Api.OPENAI_BEDROCK
VERTEX, FOUNDRY, AZURE = Api.ANTHROPIC_VERTEX, Api.ANTHROPIC_FOUNDRY, Api.AZURE_OPENAI
DATE = "Mon, 30 Nov 2026 12:00:00 GMT"
NOON = 1_796_040_000  # the same, in seconds since the epoch


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One answer. ``says``: what the fault's message holds."""

    whose: str
    api: Api
    status: int
    body: Any
    kind: K
    says: str = ""
    wait: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def raw(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else orjson.dumps(self.body)


def claude(type_: str, message: str = "no", code: str | None = None) -> dict[str, Any]:
    details = {"details": {"error_code": code}} if code else {}
    return {"type": "error", "error": {"type": type_, "message": message, **details}, "request_id": "req_1"}


def openai(message: str = "no", type_: str | None = "invalid_request_error", code: Any = None, **more: Any) -> Any:
    return {"error": {"message": message, "type": type_, "param": None, "code": code, **more}}


def google(status: str, message: str = "no", *details: dict[str, Any], code: int = 400) -> dict[str, Any]:
    typed = [{"@type": "type.googleapis.com/google.rpc.Some", **each} for each in details]
    return {"error": {"code": code, "message": message, "status": status, "details": typed}}


def azure(code: str, message: str = "no", **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, **more}}


def aws(code: str) -> dict[str, str]:
    return {"x-amzn-errortype": f"{code}:http://internal.amazon.com/"}


def router(status: int, message: str, **metadata: Any) -> dict[str, Any]:
    return {"error": {"code": status, "message": message, "metadata": metadata}}


def served(message: str, type_: str = "BadRequestError", code: int = 400) -> dict[str, Any]:
    return {"object": "error", "message": message, "type": type_, "param": None, "code": code}


ANTHROPIC = (
    ErrorRow("Anthropic", A, 400, claude("invalid_request_error", "messages: roles must alternate"), K.INVALID_REQUEST),
    ErrorRow("Anthropic", A, 400, claude("invalid_request_error", "prompt is too long: 9 tokens > 8"), K.TOO_LONG),
    ErrorRow("Anthropic", A, 400, claude("invalid_request_error", code="prompt_too_long"), K.TOO_LONG),
    ErrorRow(
        "Anthropic", A, 400,
        claude("invalid_request_error", "input length and `max_tokens` exceed context limit: 174 + 64 > 200"), K.TOO_LONG,
    ),
    ErrorRow(
        "Anthropic", A, 400, claude("invalid_request_error", "max_tokens: 8192 > 4096, the most of this model"),
        K.INVALID_REQUEST, says="4096",
    ),
    ErrorRow("Anthropic", A, 400, claude("invalid_request_error", "the credit balance is too low"), K.SPEND_LIMIT),
    ErrorRow("Anthropic", A, 400, claude("invalid_request_error", "the API usage limits are reached"), K.SPEND_LIMIT),
    ErrorRow("Anthropic", A, 400, claude("invalid_request_error", "this organization has been disabled"), K.AUTH),
    ErrorRow("Anthropic", A, 400, claude("invalid_request_error", code="organization_on_hold"), K.SPEND_LIMIT),
    ErrorRow("Anthropic", A, 400, claude("invalid_request_error", code="file_expired"), K.INVALID_REQUEST),
    ErrorRow("Anthropic", A, 401, claude("authentication_error", "invalid x-api-key"), K.AUTH, says="x-api-key"),
    ErrorRow("Anthropic", A, 402, claude("billing_error", "see the billing page"), K.SPEND_LIMIT),
    ErrorRow("Anthropic", A, 403, claude("permission_error", "this key may not use the model"), K.FORBIDDEN),
    ErrorRow("Anthropic", A, 403, claude("permission_error", code="region_not_supported"), K.FORBIDDEN),
    ErrorRow("Anthropic", A, 404, claude("not_found_error", "model: claude-nine"), K.MODEL_NOT_FOUND),
    ErrorRow("Anthropic", A, 404, claude("not_found_error", "File not found: file_1"), K.INVALID_REQUEST),
    ErrorRow("Anthropic", A, 404, claude("not_found_error", code="file_not_found"), K.INVALID_REQUEST),
    ErrorRow("Anthropic", A, 413, claude("request_too_large", "more than the maximum size"), K.TOO_LONG),
    ErrorRow(
        "Anthropic", A, 429, claude("rate_limit_error", "it would exceed the limit of 50,000 input tokens per minute"),
        K.RATE_LIMITED, wait=17, headers={"retry-after": "17"},
    ),
    ErrorRow(
        "Anthropic", A, 429, claude("rate_limit_error"), K.RATE_LIMITED, wait=30,
        headers={
            "date": DATE,
            "anthropic-ratelimit-requests-limit": "50", "anthropic-ratelimit-requests-remaining": "49",
            "anthropic-ratelimit-requests-reset": "2026-11-30T12:00:05Z",
            "anthropic-ratelimit-input-tokens-remaining": "0",
            "anthropic-ratelimit-input-tokens-reset": "2026-11-30T12:00:30Z",
        },
    ),
    ErrorRow(
        "Anthropic", A, 429,
        claude("rate_limit_error", "the rate limit of 40,000 input tokens per minute. Reduce the prompt length, or try later"),
        K.RATE_LIMITED,
    ),
    ErrorRow("Anthropic", A, 429, claude("rate_limit_error", code="enforced_spend_limit_reached"), K.SPEND_LIMIT),
    ErrorRow("Anthropic", A, 429, claude("rate_limit_error", "the monthly spend cap is reached"), K.SPEND_LIMIT),
    ErrorRow("Anthropic", A, 429, claude("rate_limit_error", code="ramp_limit_exceeded"), K.RAMP_LIMITED),
    ErrorRow("Anthropic", A, 500, claude("api_error", "an internal error"), K.SERVER_ERROR),
    ErrorRow("Anthropic", A, 503, claude("api_error", code="authorization_check_unavailable"), K.OVERLOADED),
    ErrorRow("Anthropic", A, 504, claude("timeout_error", "it took too long"), K.SERVER_ERROR),
    ErrorRow("Anthropic", A, 529, claude("overloaded_error", "Overloaded"), K.OVERLOADED),
    ErrorRow("an edge", A, 413, b"<html><title>413 Request Entity Too Large</title></html>", K.TOO_LONG, "413 Request"),
    ErrorRow("MiniMax", A, 500, claude("api_error", "insufficient balance (1008)"), K.SPEND_LIMIT),
)  # fmt: skip

OPENAI = (
    ErrorRow("OpenAI", C, 400, openai("no `foo` here", code="unknown_parameter"), K.INVALID_REQUEST, says="foo"),
    ErrorRow("OpenAI", C, 400, openai("not a list", code="invalid_type"), K.INVALID_REQUEST),
    ErrorRow("OpenAI", C, 400, openai("too long", code="context_length_exceeded"), K.TOO_LONG),
    ErrorRow(
        "OpenAI", C, 400, openai("max_tokens is too large: 40000. This model supports at most 16384 completion tokens"),
        K.INVALID_REQUEST,
    ),
    ErrorRow("OpenAI", C, 400, openai("refused by the safety system", code="content_policy_violation"), K.REFUSED),
    ErrorRow(
        "OpenAI", R, 400, openai("the prompt was flagged: it may violate the usage policy", code="invalid_prompt"),
        K.REFUSED,
    ),
    ErrorRow("OpenAI", R, 400, openai("no output of call_1", code="invalid_prompt"), K.INVALID_REQUEST),
    ErrorRow("OpenAI", C, 400, openai("the limit is reached", "billing", "billing_hard_limit_reached"), K.SPEND_LIMIT),
    ErrorRow("OpenAI", C, 401, openai("Incorrect API key", code="invalid_api_key"), K.AUTH),
    ErrorRow("OpenAI", C, 401, openai("no such organization", code="invalid_organization"), K.AUTH),
    ErrorRow("OpenAI", C, 401, openai("the account was closed", code="account_deactivated"), K.AUTH),
    ErrorRow("OpenAI", C, 403, openai("the region", code="unsupported_country_region_territory"), K.FORBIDDEN),
    ErrorRow("OpenAI", C, 404, openai("gpt-9 does not exist", code="model_not_found"), K.MODEL_NOT_FOUND),
    ErrorRow("OpenAI", C, 400, openai("gpt-9 does not exist", code="model_not_found"), K.MODEL_NOT_FOUND),
    ErrorRow("OpenAI", R, 404, openai("Item with id rs_gone not found", param="input"), K.INVALID_REQUEST, "rs_gone"),
    ErrorRow("OpenAI", R, 400, openai("no such response", code="previous_response_not_found"), K.INVALID_REQUEST),
    ErrorRow("OpenAI", R, 404, openai("Conversation with id conv_1 not found."), K.INVALID_REQUEST),
    ErrorRow("OpenAI", R, 404, openai("No such File object: file-1", param="file_id"), K.INVALID_REQUEST),
    ErrorRow("OpenAI", R, 409, openai("another turn runs", code="conversation_locked"), K.CONFLICT),
    ErrorRow(
        "OpenAI", C, 429, openai("try again in 1.2s", "tokens", "rate_limit_exceeded"), K.RATE_LIMITED, wait=1.2,
    ),
    ErrorRow(
        "OpenAI", C, 429, openai("the limit is reached, try again in 1m15s", "tokens", "rate_limit_exceeded"),
        K.RATE_LIMITED, wait=75,
    ),
    ErrorRow(
        "OpenAI", C, 429, openai("reached", "requests", "rate_limit_exceeded"), K.RATE_LIMITED, wait=360,
        headers={
            "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6m0s",
            "x-ratelimit-remaining-tokens": "900", "x-ratelimit-reset-tokens": "12ms",
        },
    ),
    ErrorRow(
        "OpenAI", C, 429, openai("Request too large for gpt-x: Limit 30000, Requested 40000", "tokens", "rate_limit_exceeded"),
        K.TOO_LONG,
    ),
    ErrorRow("OpenAI", C, 429, openai("the current quota, plan and billing", "insufficient_quota"), K.SPEND_LIMIT),
    ErrorRow("OpenAI", C, 429, openai("-", "insufficient_quota", "project_spend_limit_exceeded"), K.SPEND_LIMIT),
    ErrorRow("OpenAI", C, 503, openai("slow down", "rate_limit_error", "slow_down"), K.RAMP_LIMITED),
    ErrorRow("OpenAI", C, 503, openai("busy", "server_error", "server_is_overloaded"), K.OVERLOADED),
    ErrorRow("OpenAI", C, 500, openai("we failed", "server_error"), K.SERVER_ERROR),
    ErrorRow("an edge", C, 502, b"<html><head><title>502 Bad Gateway</title></head></html>", K.SERVER_ERROR, "Bad Gateway"),
    ErrorRow("a firewall", C, 403, b"<!DOCTYPE html><title>Attention Required!</title>", K.SERVER_ERROR, "Attention"),
    ErrorRow("Envoy", C, 503, b"no healthy upstream", K.OVERLOADED, "no healthy upstream"),
)  # fmt: skip

KEY_INVALID = {"reason": "API_KEY_INVALID", "domain": "googleapis.com"}
GEMINI = (
    ErrorRow("Gemini", C, 400, [google("INVALID_ARGUMENT", "not valid", KEY_INVALID)], K.AUTH),
    ErrorRow("Gemini", C, 400, google("INVALID_ARGUMENT", "API key not valid. Pass a valid one."), K.AUTH),
    ErrorRow("Gemini", C, 400, google("INVALID_ARGUMENT", "API key expired. Renew the API key."), K.AUTH),
    ErrorRow(
        "Gemini", C, 400,
        google(
            "INVALID_ARGUMENT", "a bad field",
            {"fieldViolations": [{"field": "contents[0].parts", "description": "must not be empty"}]},
        ),
        K.INVALID_REQUEST, says="contents[0].parts: must not be empty",
    ),
    ErrorRow(
        "Gemini", C, 400,
        google("INVALID_ARGUMENT", "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."),
        K.TOO_LONG,
    ),
    ErrorRow(
        "Gemini", C, 400,
        google("INVALID_ARGUMENT", "max_output_tokens must be in the range from 1 (inclusive) to 8193 (exclusive)"),
        K.INVALID_REQUEST,
    ),
    ErrorRow("Gemini", C, 400, google("FAILED_PRECONDITION", "User location is not supported"), K.FORBIDDEN),
    ErrorRow("Gemini", C, 402, google("RESOURCE_EXHAUSTED", "the prepaid credits are used up", code=402), K.SPEND_LIMIT),
    ErrorRow("Gemini", C, 402, google("RESOURCE_EXHAUSTED", "no more", code=402), K.SPEND_LIMIT),
    ErrorRow("Gemini", C, 429, google("RESOURCE_EXHAUSTED", "prepayment credits are depleted", code=429), K.SPEND_LIMIT),
    ErrorRow("Gemini", C, 403, google("PERMISSION_DENIED", "not allowed", code=403), K.FORBIDDEN),
    ErrorRow("Gemini", C, 403, google("PERMISSION_DENIED", "-", {"reason": "SERVICE_DISABLED"}, code=403), K.FORBIDDEN),
    ErrorRow("Gemini", C, 403, google("PERMISSION_DENIED", "-", {"reason": "BILLING_DISABLED"}, code=403), K.SPEND_LIMIT),
    ErrorRow("Gemini", C, 403, google("PERMISSION_DENIED", "-", {"reason": "CONSUMER_SUSPENDED"}, code=403), K.AUTH),
    ErrorRow("Gemini", C, 404, google("NOT_FOUND", "models/gemini-x is not found", code=404), K.MODEL_NOT_FOUND),
    ErrorRow("Gemini", C, 404, google("NOT_FOUND", "CachedContent not found", code=404), K.MODEL_NOT_FOUND),
    ErrorRow(
        "Gemini", C, 429, [google("RESOURCE_EXHAUSTED", "exceeded the current quota, see plan and billing", {"retryDelay": "45.8s"}, code=429)],
        K.RATE_LIMITED, wait=45.8,
    ),
    ErrorRow(
        "Gemini", C, 429, google("RESOURCE_EXHAUSTED", "daily", {"violations": [{"quotaId": "RequestsPerDay"}]}, code=429),
        K.RATE_LIMITED, wait=3600, headers={"date": DATE},
    ),
    ErrorRow(
        "Gemini", C, 429, google("RESOURCE_EXHAUSTED", "Quota exceeded for metric: free_requests, limit: 0", code=429),
        K.FORBIDDEN,
    ),
    ErrorRow("Gemini", C, 500, google("INTERNAL", "an internal error", code=500), K.SERVER_ERROR),
    ErrorRow("Gemini", C, 503, google("UNAVAILABLE", "the model is overloaded", code=503), K.OVERLOADED),
    ErrorRow("Gemini", C, 504, google("DEADLINE_EXCEEDED", "too slow", code=504), K.SERVER_ERROR),
    ErrorRow("Vertex", VERTEX, 401, google("UNAUTHENTICATED", "-", {"reason": "ACCESS_TOKEN_EXPIRED"}, code=401), K.AUTH),
    ErrorRow("Vertex", VERTEX, 403, google("PERMISSION_DENIED", "-", {"reason": "IAM_PERMISSION_DENIED"}, code=403), K.FORBIDDEN),
    ErrorRow("Vertex", VERTEX, 404, google("NOT_FOUND", "Publisher Model claude-9 was not found", code=404), K.MODEL_NOT_FOUND),
    ErrorRow("Vertex", VERTEX, 429, [google("RESOURCE_EXHAUSTED", "Quota exceeded for online_requests", code=429)], K.RATE_LIMITED),
    ErrorRow("Vertex", VERTEX, 400, claude("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"), K.TOO_LONG),
    ErrorRow("Vertex", VERTEX, 429, google("RESOURCE_EXHAUSTED", "-", {"reason": "MODEL_CAPACITY_EXHAUSTED"}, code=429), K.OVERLOADED),
    ErrorRow("Vertex", VERTEX, 401, google("UNAUTHENTICATED", "the token was used too early", code=401), K.CLOCK_SKEW),
    ErrorRow("Vertex", VERTEX, 529, claude("overloaded_error"), K.OVERLOADED),
)  # fmt: skip

EXPIRED = "Signature expired: 20261130T120000Z is now earlier than 20261130T123500Z"
BEDROCKS = (
    ErrorRow("Bedrock", BEDROCK, 400, {"message": "not well formed"}, K.INVALID_REQUEST, headers=aws("ValidationException")),
    ErrorRow("Bedrock", BEDROCK, 400, {"message": "Operation not allowed"}, K.FORBIDDEN, headers=aws("ValidationException")),
    ErrorRow(
        "Bedrock", BEDROCK, 400, {"message": "The provided model identifier is invalid."}, K.MODEL_NOT_FOUND,
        headers=aws("ValidationException"),
    ),
    ErrorRow(
        "Bedrock", BEDROCK, 400, {"message": "with on-demand throughput isn't supported"}, K.MODEL_NOT_FOUND,
        headers=aws("ValidationException"),
    ),
    ErrorRow(
        "Bedrock", BEDROCK, 400, {"message": "Input is too long for requested model."}, K.TOO_LONG,
        headers=aws("ValidationException"),
    ),
    ErrorRow("Bedrock", BEDROCK, 400, {"__type": "com.amazon.coral#ValidationException", "Message": "bad"}, K.INVALID_REQUEST, "bad"),
    ErrorRow("Bedrock", BEDROCK, 403, {"message": "no access to the model"}, K.FORBIDDEN, headers=aws("AccessDeniedException")),
    ErrorRow("Bedrock", BEDROCK, 403, {"message": "-"}, K.AUTH, headers=aws("ExpiredTokenException")),
    ErrorRow("Bedrock", BEDROCK, 403, {"message": "-"}, K.AUTH, headers=aws("UnrecognizedClientException")),
    ErrorRow("Bedrock", BEDROCK, 403, {"message": "it does not match"}, K.AUTH, headers=aws("InvalidSignatureException")),
    ErrorRow("Bedrock", BEDROCK, 403, {"message": EXPIRED}, K.CLOCK_SKEW, headers=aws("InvalidSignatureException")),
    ErrorRow(
        "Bedrock", BEDROCK, 403, {"message": "Signature not yet current: it is still later than now"}, K.CLOCK_SKEW,
        headers=aws("InvalidSignatureException"),
    ),
    ErrorRow("Bedrock", BEDROCK, 403, {"message": "-"}, K.CLOCK_SKEW, headers=aws("RequestTimeTooSkewed")),
    ErrorRow("Bedrock", BEDROCK, 400, {"message": "-"}, K.CLOCK_SKEW, headers=aws("RequestExpired")),
    ErrorRow(
        "Bedrock", BEDROCK, 403, b"<ErrorResponse><Error><Code>RequestTimeTooSkewed</Code><Message>far off</Message></Error></ErrorResponse>",
        K.CLOCK_SKEW, says="far off",
    ),
    ErrorRow("Bedrock", BEDROCK, 404, {"message": "-"}, K.FORBIDDEN, headers=aws("FTUFormNotFilled")),
    ErrorRow(
        "Bedrock", BEDROCK, 404, {"message": "the use case details form was not filled in"}, K.FORBIDDEN,
        headers=aws("ResourceNotFoundException"),
    ),
    ErrorRow("Bedrock", BEDROCK, 404, {"message": "no such model"}, K.MODEL_NOT_FOUND, headers=aws("ResourceNotFoundException")),
    ErrorRow("Bedrock", BEDROCK, 403, {"message": "-"}, K.FORBIDDEN, headers=aws("MPAgreementBeingCreated")),
    ErrorRow("Bedrock", BEDROCK, 408, {"message": "-"}, K.SERVER_ERROR, headers=aws("ModelTimeoutException")),
    ErrorRow("Bedrock", BEDROCK, 424, {"message": "-", "originalStatusCode": 500}, K.SERVER_ERROR, headers=aws("ModelErrorException")),
    ErrorRow("Bedrock", BEDROCK, 429, {"message": "Too many requests"}, K.RATE_LIMITED, headers=aws("ThrottlingException")),
    ErrorRow("Bedrock", BEDROCK, 429, {"message": "Too many tokens per day"}, K.RATE_LIMITED, headers=aws("ThrottlingException")),
    ErrorRow("Bedrock", BEDROCK, 429, {"message": "Too many tokens, wait before trying again."}, K.RATE_LIMITED),
    ErrorRow("Bedrock", BEDROCK, 403, {"message": "the signature does not match"}, K.AUTH),
    ErrorRow("Bedrock", BEDROCK, 429, {"message": "-"}, K.OVERLOADED, headers=aws("ModelNotReadyException")),
    ErrorRow("Bedrock", BEDROCK, 500, {"message": "-"}, K.SERVER_ERROR, headers=aws("InternalServerException")),
    ErrorRow("Bedrock", BEDROCK, 503, {"message": "-"}, K.OVERLOADED, headers=aws("ServiceUnavailableException")),
    ErrorRow("Bedrock", OPENAI_BEDROCK, 401, {"message": "-"}, K.AUTH, headers=aws("MissingAuthenticationTokenException")),
    ErrorRow("Bedrock", OPENAI_BEDROCK, 403, {"Message": "the bearer token has expired"}, K.AUTH, headers=aws("AccessDeniedException")),
)  # fmt: skip

FILTER = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {"hate": {"filtered": True}}}
AZURES = (
    ErrorRow("Azure", AZURE, 400, openai("filtered", None, "content_filter", innererror=FILTER), K.REFUSED),
    ErrorRow("Azure", AZURE, 400, azure("BadRequest", "filtered", innererror=FILTER), K.REFUSED),
    ErrorRow("Azure", AZURE, 400, azure("BadRequest", "API version not supported"), K.MODEL_NOT_FOUND, "API version"),
    ErrorRow("Azure", AZURE, 400, azure("UnsupportedApiVersionValue"), K.MODEL_NOT_FOUND),
    ErrorRow("Azure", AZURE, 400, azure("OperationNotSupported"), K.MODEL_NOT_FOUND),
    ErrorRow("Azure", AZURE, 401, azure("401", "the subscription key is invalid"), K.AUTH),
    ErrorRow("Azure", AZURE, 401, azure("PermissionDenied", "the principal lacks an action"), K.FORBIDDEN),
    ErrorRow("Azure", AZURE, 403, azure("AccessDenied", "the network rules refuse it"), K.FORBIDDEN),
    ErrorRow("Azure", AZURE, 404, azure("DeploymentNotFound"), K.MODEL_NOT_FOUND),
    ErrorRow("Azure", AZURE, 404, azure("404", "Resource not found"), K.MODEL_NOT_FOUND),
    ErrorRow("Azure", AZURE, 408, azure("Timeout", "it took too long"), K.REQUEST_TIMEOUT),
    ErrorRow("Azure", AZURE, 424, azure("FailedDependency"), K.SERVER_ERROR),
    ErrorRow("Azure", AZURE, 429, azure("429", "the token rate limit; retry after 6 seconds"), K.RATE_LIMITED, wait=6),
    ErrorRow("Azure", AZURE, 429, azure("RateLimitReached"), K.RATE_LIMITED, wait=0.5, headers={"retry-after-ms": "500", "retry-after": "1"}),
    ErrorRow("Azure", AZURE, 429, azure("NoCapacity"), K.OVERLOADED),
    ErrorRow("Azure", AZURE, 403, azure("QuotaExceeded", "the free tier"), K.SPEND_LIMIT),
    ErrorRow("Foundry", FOUNDRY, 404, azure("DeploymentNotFound"), K.MODEL_NOT_FOUND),
    ErrorRow("Foundry", FOUNDRY, 401, azure("InvalidAuthenticationToken"), K.AUTH),
)  # fmt: skip

WAITS = (
    ErrorRow("any", C, 429, b"", K.RATE_LIMITED, wait=75, headers={"retry-after": "75 seconds"}),
    ErrorRow("any", C, 429, b"", K.RATE_LIMITED, wait=75, headers={"retry-after": "1m15s"}),
    ErrorRow("any", C, 429, b"", K.RATE_LIMITED, wait=1.5, headers={"retry-after": "1.5"}),
    ErrorRow("any", C, 429, b"", K.RATE_LIMITED, wait=90, headers={"retry-after": "Mon, 30 Nov 2026 12:01:30 GMT", "date": DATE}),
    ErrorRow("any", C, 429, b"", K.RATE_LIMITED, wait=3600, headers={"retry-after": "999999999"}),
    ErrorRow("any", C, 429, b"", K.RATE_LIMITED, headers={"retry-after": "soon"}),
    ErrorRow("any", C, 429, openai("try again in 500ms", code="rate_limit_exceeded"), K.RATE_LIMITED, wait=0.5),
    ErrorRow("any", C, 429, openai("please wait 2 minutes and 5 seconds", code="rate_limit_exceeded"), K.RATE_LIMITED, wait=125),
    ErrorRow("any", C, 429, b"", K.RATE_LIMITED, wait=50, headers={"ratelimit": "limit=100, remaining=0, reset=50"}),
    ErrorRow("any", C, 429, b"", K.RATE_LIMITED, wait=30, headers={"ratelimit": '"default";r=0;t=30'}),
    ErrorRow("any", C, 429, b"", K.RATE_LIMITED, wait=12, headers={"x-ratelimit-reset": str(NOON + 12), "date": DATE}),
    ErrorRow("any", C, 503, b"", K.SERVER_ERROR, wait=9, headers={"retry-after": "9"}),
    ErrorRow("any", C, 400, openai("retry in 5s"), K.INVALID_REQUEST),
)  # fmt: skip
ERROR_ROWS = (*ANTHROPIC, *OPENAI, *GEMINI, *BEDROCKS, *AZURES, *WAITS)

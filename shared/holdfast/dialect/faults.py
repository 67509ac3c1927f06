"""What a provider's refusal means: one table per provider from its codes and statuses to our kinds of fault.

The code decides before the status does: one 429 means "slow down", another "pay".
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from holdfast.dialect.bad_answer import BadAnswer
from holdfast.dialect.patience import retry_after
from holdfast.dialect.showing import showable
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.route import Api

STATUSES: Mapping[int, FaultKind] = {
    400: FaultKind.INVALID_REQUEST,
    401: FaultKind.AUTH,
    402: FaultKind.SPEND_LIMIT,
    403: FaultKind.FORBIDDEN,
    404: FaultKind.MODEL_NOT_FOUND,
    408: FaultKind.REQUEST_TIMEOUT,
    409: FaultKind.CONFLICT,
    413: FaultKind.TOO_LONG,
    422: FaultKind.INVALID_REQUEST,
    429: FaultKind.RATE_LIMITED,
    499: FaultKind.REQUEST_TIMEOUT,
    529: FaultKind.OVERLOADED,
}

# error.details.error_code and error.type of anthropic 2.12.
ANTHROPIC: Mapping[str, FaultKind] = {
    "enforced_spend_limit_reached": FaultKind.SPEND_LIMIT,
    "contract_spend_limit_reached": FaultKind.SPEND_LIMIT,
    "linked_organization_spend_limit_reached": FaultKind.SPEND_LIMIT,
    "linked_organization_billing_unavailable": FaultKind.SPEND_LIMIT,
    "organization_on_hold": FaultKind.SPEND_LIMIT,
    "billing_error": FaultKind.SPEND_LIMIT,
    "ramp_limit_exceeded": FaultKind.RAMP_LIMITED,
    "overloaded_error": FaultKind.OVERLOADED,
    "rate_limit_error": FaultKind.RATE_LIMITED,
    "authentication_error": FaultKind.AUTH,
    "request_too_large": FaultKind.TOO_LONG,
}

# error.code, then error.type, of openai 3.54 and of Google's compatible endpoint.
OPENAI: Mapping[str, FaultKind] = {
    "insufficient_quota": FaultKind.SPEND_LIMIT,
    "credit_balance_exhausted": FaultKind.SPEND_LIMIT,
    "organization_spend_limit_exceeded": FaultKind.SPEND_LIMIT,
    "project_spend_limit_exceeded": FaultKind.SPEND_LIMIT,
    "organization_usage_limit_exceeded": FaultKind.SPEND_LIMIT,
    "billing_hard_limit_reached": FaultKind.SPEND_LIMIT,
    "billing_not_active": FaultKind.SPEND_LIMIT,
    "context_length_exceeded": FaultKind.TOO_LONG,
    "exceed_context_size_error": FaultKind.TOO_LONG,  # llama.cpp
    "string_above_max_length": FaultKind.TOO_LONG,
    "model_not_found": FaultKind.MODEL_NOT_FOUND,
    "invalid_api_key": FaultKind.AUTH,
    "slow_down": FaultKind.RAMP_LIMITED,
    "server_is_overloaded": FaultKind.OVERLOADED,
    "rate_limit_exceeded": FaultKind.RATE_LIMITED,
    "invalid_prompt": FaultKind.INVALID_REQUEST,
    "bio_policy": FaultKind.INVALID_REQUEST,
    "image_content_policy_violation": FaultKind.INVALID_REQUEST,
    "API_KEY_INVALID": FaultKind.AUTH,
    "UNAUTHENTICATED": FaultKind.AUTH,
    "PERMISSION_DENIED": FaultKind.FORBIDDEN,
    "RESOURCE_EXHAUSTED": FaultKind.RATE_LIMITED,
    "UNAVAILABLE": FaultKind.OVERLOADED,
}

CODES: Mapping[Api, Mapping[str, FaultKind]] = {
    Api.ANTHROPIC: ANTHROPIC,
    Api.OPENAI_CHAT: OPENAI,
    Api.OPENAI_RESPONSES: OPENAI,
}

# Codes and types that say no more than the status they come with.
PLAIN = frozenset(
    {
        "invalid_request_error", "permission_error", "not_found_error", "timeout_error", "api_error", "conflict_error",
        "server_error", "requests", "tokens", "input_tokens", "output_tokens", "rate_limit_error", "invalid_value",
        "invalid_type", "missing_required_parameter", "unsupported_parameter", "unsupported_value",
        "unsupported_country_region_territory",
        "unknown_parameter", "integer_above_max_value", "integer_below_min_value", "string_below_min_length",
        "array_above_max_length", "array_below_min_length", "empty_array", "empty_string", "internal_error",
        "internal_server_error", "invalid_json_schema", "invalid_image_format", "invalid_base64", "invalid_image_url",
        "invalid_function_parameters", "content_policy_violation", "content_filter", "failed", "cancelled",
        "INVALID_ARGUMENT", "FAILED_PRECONDITION", "NOT_FOUND", "INTERNAL", "DEADLINE_EXCEEDED", "invalid_beta",
    }
)  # fmt: skip
USUAL = frozenset({500, 501, 502, 503, 504, *range(520, 531)})
# Where a provider gives no code that tells these from others of the same status, its words must. Tried first.
WORDS: tuple[tuple[frozenset[int], re.Pattern[str], FaultKind], ...] = (
    (frozenset({429, 413}), re.compile(r"request too large", re.IGNORECASE), FaultKind.TOO_LONG),
    (
        frozenset({400}),
        re.compile(
            r"prompt is too long|exceed context limit|maximum context length|context length exceeded", re.IGNORECASE
        ),
        FaultKind.TOO_LONG,
    ),
    (
        frozenset({400, 403, 429}),
        re.compile(r"api usage limits|spend(ing)? (limit|cap)|credit balance is too low", re.IGNORECASE),
        FaultKind.SPEND_LIMIT,
    ),
    (frozenset({400}), re.compile(r"api key (not valid|not found|expired)", re.IGNORECASE), FaultKind.AUTH),
)
CDN = frozenset({400, 403, 405})  # in HTML these come from what stands before the API, and say nothing of the job
SERVER_ERRORS = 500
REQUEST_IDS = ("request-id", "x-request-id", "cf-ray")


def read_fault(
    api: Api, status: int, headers: Mapping[str, str], body: bytes, *, now: float = 0.0, prompt: str = ""
) -> Fault:
    """Understand an answer that is no 200.

    Args:
        api: Whose table of codes holds.
        status: HTTP status.
        headers: Names in lower case.
        body: As it came; may be cut, empty, HTML, anything.
        now: Seconds since the epoch, for dates in headers where the answer itself carries none.
        prompt: Text of the request, so that none of it is repeated in the fault's message.
    """
    error = read_error(body)
    codes = list(_codes(error))
    message = str(error.get("message") or "")
    kind = _kind(api, status, codes, message, is_html=_is_html(headers, body))
    return Fault(
        kind,
        message=showable(status, codes, message, prompt),
        status=status,
        code=codes[0] if codes else None,
        retry_after=retry_after(headers, error.get("details"), now),
        provider_request_id=request_id(headers),
        unfamiliar=_unfamiliar(api, status, codes),
    )


def read_bad_answer(api: Api, error: BadAnswer, headers: Mapping[str, str], status: int = 200) -> Fault:
    """Understand a 200 without a usable reply. A failure told inside it keeps its meaning where its code is known."""
    kind = CODES[api].get(error.provider_code or "", error.kind)
    codes = [error.provider_code] if error.provider_code else []
    return Fault(
        kind,
        message=error.why,
        status=status,
        code=error.provider_code,
        provider_request_id=request_id(headers),
        unfamiliar=error.kind is FaultKind.BAD_ANSWER and bool(codes) and not _known(api, codes),
    )


def _kind(api: Api, status: int, codes: list[str], message: str, *, is_html: bool) -> FaultKind:
    if is_html and status in CDN:
        return FaultKind.SERVER_ERROR
    for statuses, words, kind in WORDS:
        if status in statuses and words.search(message):
            return kind
    for code in codes:
        if code in CODES[api]:
            return CODES[api][code]
    return STATUSES.get(status, _by_class(status))


def _unfamiliar(api: Api, status: int, codes: list[str]) -> bool:
    """Whether we only guess: the status has no row, or none of the codes is in any table."""
    return (status not in STATUSES and status not in USUAL) or (bool(codes) and not _known(api, codes))


def _known(api: Api, codes: list[str]) -> bool:
    return any(code in CODES[api] or code in PLAIN for code in codes)


def _by_class(status: int) -> FaultKind:
    """Statuses without a row: 4xx are the request's, 5xx the server's; a redirect or a strange 2xx is no answer."""
    if status >= SERVER_ERRORS:
        return FaultKind.SERVER_ERROR
    return FaultKind.INVALID_REQUEST if status >= 400 else FaultKind.BAD_ANSWER  # noqa: PLR2004  HTTP's own number


def read_error(body: bytes) -> Mapping[str, Any]:
    """The error object of a body in any of the known shapes; empty where there is none. Google sends an array."""
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    match parsed:
        case [{"error": dict(error)}, *_] | {"error": dict(error)}:
            return error
        case {"error": str(message)} | {"message": str(message)} | {"detail": str(message)}:
            return {"message": message}
        case {"object": "error"}:
            return dict(parsed)
    return {}


def _codes(error: Mapping[str, Any]) -> Iterator[str]:
    """Every code that the error carries, the most telling first."""
    details = error.get("details")
    if isinstance(details, Mapping):
        yield from _text(details.get("error_code"))
    for detail in details if isinstance(details, list) else ():
        yield from _text(detail.get("reason")) if isinstance(detail, Mapping) else ()
    for key in ("code", "status", "type"):
        yield from _text(error.get(key))


def _text(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value:
        yield value[:100]


def request_id(headers: Mapping[str, str]) -> str | None:
    return next((headers[name][:200] for name in REQUEST_IDS if name in headers), None)


def _is_html(headers: Mapping[str, str], body: bytes) -> bool:
    return "html" in headers.get("content-type", "") or body[:200].lstrip().lower().startswith((b"<!doctype", b"<html"))

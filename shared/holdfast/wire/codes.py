"""What providers' codes and statuses mean: the tables behind ``faults``."""

import re
from collections.abc import Mapping

from holdfast.model.fault import FaultKind
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

# error.details.error_code and error.type of anthropic 2.14.
ANTHROPIC: Mapping[str, FaultKind] = {
    "enforced_spend_limit_reached": FaultKind.SPEND_LIMIT,
    "contract_spend_limit_reached": FaultKind.SPEND_LIMIT,
    "linked_organization_spend_limit_reached": FaultKind.SPEND_LIMIT,
    "linked_organization_billing_unavailable": FaultKind.SPEND_LIMIT,
    "organization_on_hold": FaultKind.SPEND_LIMIT,
    "billing_error": FaultKind.SPEND_LIMIT,
    "workspace_human_review_disabled": FaultKind.FORBIDDEN,  # comes as 400, but tells of the key's workspace
    "organization_not_eligible": FaultKind.FORBIDDEN,  # comes as 400, but tells of the key's organization
    "authorization_check_unavailable": FaultKind.OVERLOADED,  # comes as 503: nothing was done
    "ramp_limit_exceeded": FaultKind.RAMP_LIMITED,
    "overloaded_error": FaultKind.OVERLOADED,
    "rate_limit_error": FaultKind.RATE_LIMITED,
    "authentication_error": FaultKind.AUTH,
    "request_too_large": FaultKind.TOO_LONG,
}

# error.code, then error.type, of openai 3.57.
OPENAI: Mapping[str, FaultKind] = {
    "insufficient_quota": FaultKind.SPEND_LIMIT,
    "credit_balance_exhausted": FaultKind.SPEND_LIMIT,
    "organization_spend_limit_exceeded": FaultKind.SPEND_LIMIT,
    "project_spend_limit_exceeded": FaultKind.SPEND_LIMIT,
    "organization_usage_limit_exceeded": FaultKind.SPEND_LIMIT,
    "billing_hard_limit_reached": FaultKind.SPEND_LIMIT,
    "billing_not_active": FaultKind.SPEND_LIMIT,
    "context_length_exceeded": FaultKind.TOO_LONG,
    "string_above_max_length": FaultKind.TOO_LONG,
    "model_not_found": FaultKind.MODEL_NOT_FOUND,
    "invalid_api_key": FaultKind.AUTH,
    "slow_down": FaultKind.RAMP_LIMITED,
    "server_is_overloaded": FaultKind.OVERLOADED,
    "rate_limit_exceeded": FaultKind.RATE_LIMITED,
    "invalid_prompt": FaultKind.INVALID_REQUEST,
    "bio_policy": FaultKind.INVALID_REQUEST,
    "image_content_policy_violation": FaultKind.INVALID_REQUEST,
}

# Reasons of google.rpc.ErrorInfo, and google.rpc.Code by name.
GOOGLE: Mapping[str, FaultKind] = {
    "API_KEY_INVALID": FaultKind.AUTH,
    "API_KEY_EXPIRED": FaultKind.AUTH,
    "ACCESS_TOKEN_EXPIRED": FaultKind.AUTH,
    "ACCESS_TOKEN_TYPE_UNSUPPORTED": FaultKind.AUTH,
    "CREDENTIALS_MISSING": FaultKind.AUTH,
    "UNAUTHENTICATED": FaultKind.AUTH,
    "BILLING_DISABLED": FaultKind.SPEND_LIMIT,
    "SERVICE_DISABLED": FaultKind.FORBIDDEN,
    "API_KEY_SERVICE_BLOCKED": FaultKind.FORBIDDEN,
    "FAILED_PRECONDITION": FaultKind.FORBIDDEN,  # "not available in your country", "enable billing": never the job's
    "PERMISSION_DENIED": FaultKind.FORBIDDEN,
    "RESOURCE_EXHAUSTED": FaultKind.RATE_LIMITED,
    "UNAVAILABLE": FaultKind.OVERLOADED,
}

# The header x-amzn-errortype, or __type in the body.
AWS: Mapping[str, FaultKind] = {
    "ThrottlingException": FaultKind.RATE_LIMITED,
    "TooManyRequestsException": FaultKind.RATE_LIMITED,
    "ServiceQuotaExceededException": FaultKind.RATE_LIMITED,
    "ModelNotReadyException": FaultKind.OVERLOADED,
    "ServiceUnavailableException": FaultKind.OVERLOADED,
    "ModelTimeoutException": FaultKind.SERVER_ERROR,
    "ModelErrorException": FaultKind.SERVER_ERROR,  # comes as 424
    "InternalServerException": FaultKind.SERVER_ERROR,
    "ResourceNotFoundException": FaultKind.MODEL_NOT_FOUND,
    "ExpiredTokenException": FaultKind.AUTH,  # these come as 403
    "UnrecognizedClientException": FaultKind.AUTH,
    "InvalidSignatureException": FaultKind.AUTH,
    "IncompleteSignatureException": FaultKind.AUTH,
    "MissingAuthenticationTokenException": FaultKind.AUTH,
    "AccessDeniedException": FaultKind.FORBIDDEN,
}

AZURE: Mapping[str, FaultKind] = {
    "DeploymentNotFound": FaultKind.MODEL_NOT_FOUND,
    "OperationNotSupported": FaultKind.MODEL_NOT_FOUND,  # the deployment is of a model for something else
    "RateLimitReached": FaultKind.RATE_LIMITED,
    "too_many_requests": FaultKind.RATE_LIMITED,
    "NoCapacity": FaultKind.OVERLOADED,
    "InvalidAuthenticationToken": FaultKind.AUTH,
    "PermissionDenied": FaultKind.FORBIDDEN,
    "QuotaExceeded": FaultKind.SPEND_LIMIT,
}

# Of servers that speak the Chat format.
COMPATIBLE: Mapping[str, FaultKind] = {
    "exceed_context_size_error": FaultKind.TOO_LONG,  # llama.cpp
    "unavailable_error": FaultKind.OVERLOADED,  # llama.cpp: a model loads, no slot is free
    "not_found_error": FaultKind.MODEL_NOT_FOUND,  # Ollama, llama.cpp
    "NotFoundError": FaultKind.MODEL_NOT_FOUND,  # vLLM
    "authentication_error": FaultKind.AUTH,
}

CODES: Mapping[Api, Mapping[str, FaultKind]] = {
    Api.ANTHROPIC: ANTHROPIC,
    Api.OPENAI_CHAT: {**OPENAI, **GOOGLE, **COMPATIBLE},
    Api.OPENAI_RESPONSES: {**OPENAI, **COMPATIBLE},
    Api.ANTHROPIC_BEDROCK: {**ANTHROPIC, **AWS},
    Api.ANTHROPIC_BEDROCK_MANTLE: {**ANTHROPIC, **AWS},
    Api.ANTHROPIC_AWS: {**ANTHROPIC, **AWS},
    Api.ANTHROPIC_VERTEX: {**ANTHROPIC, **GOOGLE},
    Api.ANTHROPIC_GOOGLE_CLOUD: {**ANTHROPIC, **GOOGLE},
    Api.ANTHROPIC_FOUNDRY: {**ANTHROPIC, **AZURE},
    Api.AZURE_OPENAI: {**OPENAI, **AZURE},
    Api.AZURE_OPENAI_RESPONSES: {**OPENAI, **AZURE},
    Api.OPENAI_BEDROCK: {**OPENAI, **AWS},
    Api.OPENAI_BEDROCK_RESPONSES: {**OPENAI, **AWS},
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
        "INVALID_ARGUMENT", "NOT_FOUND", "INTERNAL", "DEADLINE_EXCEEDED", "invalid_beta",
        "BadRequestError", "InternalServerError", "UnprocessableEntityError", "ValidationException", "Unauthorized",
        "ResponsibleAIPolicyViolation", "moderation", "BadRequest", "RATE_LIMIT_EXCEEDED",
    }
)  # fmt: skip
USUAL = frozenset({500, 501, 502, 503, 504, *range(520, 531)})

# A content filter turned the prompt away: Azure's, OpenRouter's (which gives no code but names the reasons).
REFUSALS = frozenset({"content_filter", "ResponsibleAIPolicyViolation", "moderation"})

# Where a provider gives no code that tells these from others of the same status, its words must. Tried first.
_TOO_LONG = (
    r"prompt is too long|input is too long|exceeds? (the )?(available )?context (limit|length|size|window)|"
    r"maximum (context|model) length|context length exceeded|context (the )?overflows|"
    r"greater than the context length|exceeds the maximum number of (input )?tokens|too many input tokens"
)
_NO_MODEL = (
    r"not a valid model id|model identifier is invalid|on-demand throughput isn.t supported|no models? (is )?loaded|"
    r"^model \S+ (was )?not found"
)


def _words(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE)


WORDS: tuple[tuple[frozenset[int], re.Pattern[str], FaultKind], ...] = (
    (frozenset({413, 429}), _words(r"request too large"), FaultKind.TOO_LONG),
    (frozenset({200, 400, 422, 500}), _words(_TOO_LONG), FaultKind.TOO_LONG),
    (
        frozenset({400, 403, 429}),
        _words(r"api usage limits|spend(ing)? (limit|cap)|credit balance is too low|insufficient credits"),
        FaultKind.SPEND_LIMIT,
    ),
    (frozenset({429}), _words(r"quota exceeded for metric: [^,]+, limit: 0\b"), FaultKind.FORBIDDEN),  # no free tier
    (frozenset({400}), _words(r"api key (not valid|not found|expired)"), FaultKind.AUTH),
    (frozenset({400}), _words(_NO_MODEL), FaultKind.MODEL_NOT_FOUND),
    (
        frozenset({500, 503}),
        _words(r"loading model|model is loading|server (is )?(busy|overloaded)|no slot available"),
        FaultKind.OVERLOADED,
    ),
)

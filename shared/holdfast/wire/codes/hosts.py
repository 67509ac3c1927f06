"""Codes of providers and gateways that speak the Chat or the Messages format beside one of their own."""

from holdfast.model.fault import FaultKind as Kind
from holdfast.wire.codes.code_row import rows

OPENROUTER = (
    *rows(
        "openrouter.ai/docs/client-sdks/python/components/apierrortype",
        {
            Kind.AUTH: ("authentication",),
            Kind.OVERLOADED: ("provider_overloaded",),
            Kind.SERVER_ERROR: ("provider_unavailable",),
            Kind.TOO_LONG: ("payload_too_large", "string_too_long", "token_limit_exceeded"),
            Kind.REFUSED: ("refusal",),
            Kind.INVALID_REQUEST: ("unsupported_image_format", "image_not_found", "image_download_failed"),
            None: (
                "invalid_request", "precondition_failed", "max_tokens_exceeded", "unprocessable", "server", "timeout",
                "unmapped",
            ),
        },
    ),
    *rows(
        "openrouter.ai/docs/api/reference/errors-and-debugging",
        {
            Kind.RATE_LIMITED: ("openrouter_in_flight_budget", "in_flight_budget_exhausted"),
            Kind.SPEND_LIMIT: (
                "openrouter_credits", "openrouter_key_limit", "openrouter_guardrail_budget",
                "openrouter_workspace_budget", "weight_exceeds_budget", "payment_required",
            ),
            Kind.REFUSED: ("moderation",),  # ours: it gives no code, but names what it flagged
        },
    ),
)  # fmt: skip

GROQ = rows(
    "console.groq.com/docs/errors",
    {
        Kind.BAD_OUTPUT: ("tool_use_failed", "json_validate_failed"),  # what the model wrote was of no use
        Kind.OVERLOADED: ("capacity_exceeded",),
        Kind.MODEL_NOT_FOUND: ("model_decommissioned", "model_not_active"),
        Kind.FORBIDDEN: ("model_terms_required",),
        Kind.AUTH: ("organization_restricted",),
        Kind.SPEND_LIMIT: ("blocked_api_access",),
    },
)

MISTRAL = (
    *rows("docs.mistral.ai/resources/error-glossary", {Kind.MODEL_NOT_FOUND: ("unknown_model", "invalid_model")}),
    *rows("github.com/raycast/extensions/issues/31107", {Kind.RATE_LIMITED: ("rate_limited",)}),
    # "Service tier capacity exceeded for this model", a 429 with code 3505: of the model, not of our key.
    *rows("github.com/continuedev/continue/issues/6185", {Kind.OVERLOADED: ("service_tier_capacity_exceeded",)}),
    *rows(
        "the type of a 400 with code 3230, as clients of its API report it",
        {None: ("invalid_request_message_order", "invalid_request_prompt", "invalid_request_assistant_message")},
    ),
)

DASHSCOPE = (
    *rows(
        "alibabacloud.com/help/en/model-studio/error-code",
        {
            Kind.SPEND_LIMIT: (
                "Arrearage", "AllocationQuota.FreeTierOnly", "PrepaidBillOverdue", "PostpaidBillOverdue",
            ),
            Kind.RATE_LIMITED: ("Throttling", "Throttling.RateQuota", "Throttling.AllocationQuota", "limit_requests"),
            Kind.RAMP_LIMITED: ("Throttling.BurstRate", "limit_burst_rate"),
            Kind.REFUSED: ("DataInspectionFailed",),
            Kind.FORBIDDEN: (
                "AccessDenied.Unpurchased", "Model.AccessDenied", "App.AccessDenied", "Workspace.AccessDenied",
                "CommodityNotPurchased",
            ),
            Kind.MODEL_NOT_FOUND: ("InvalidURL", "ModelNotSupported", "UnsupportedModel"),
            Kind.OVERLOADED: ("ModelUnavailable", "ModelServingError", "ModelServiceFailed"),
            Kind.SERVER_ERROR: ("InternalError.Algo", "InternalError.Timeout"),
            None: ("InvalidParameter", "InvalidParameter.DataInspection", "InvalidFile"),
        },
    ),
)  # fmt: skip

KIMI = (
    *rows(
        "platform.kimi.com/docs/api/errors",
        {
            Kind.SPEND_LIMIT: ("exceeded_current_quota_error",),
            Kind.OVERLOADED: ("engine_overloaded_error",),
            Kind.RATE_LIMITED: ("rate_limit_reached_error",),
            Kind.AUTH: ("invalid_authentication_error", "incorrect_api_key_error"),
            Kind.FORBIDDEN: ("permission_denied_error",),
        },
    ),
    *rows("platform.kimi.com/docs/api/errors", {Kind.MODEL_NOT_FOUND: ("resource_not_found_error",)}, vague=True),
)

ZHIPU = rows(
    "docs.z.ai/api-reference/api-code",
    {
        Kind.AUTH: ("1000", "1001", "1002", "1003", "1004", "1110", "1111", "1112", "1121"),
        Kind.SPEND_LIMIT: ("1113", "1308", "1309", "1310"),
        Kind.MODEL_NOT_FOUND: ("1211", "1221", "1222"),
        Kind.FORBIDDEN: ("1220", "1311"),
        Kind.TOO_LONG: ("1261",),
        Kind.REFUSED: ("1301",),
        Kind.RATE_LIMITED: ("1302", "1303", "1304", "1305", "1313"),
        Kind.OVERLOADED: ("1312",),
        None: ("1210", "1212", "1213", "1214", "1215", "1234"),
    },
)

# Its numbers stand in base_resp.status_code, mostly of a 200. They would be somebody else's without that place.
MINIMAX = rows(
    "platform.minimax.io/docs/api-reference/errorcode",
    {
        Kind.SERVER_ERROR: ("base_resp.1000", "base_resp.1001", "base_resp.1013", "base_resp.1024", "base_resp.1033"),
        Kind.RATE_LIMITED: ("base_resp.1002", "base_resp.1039", "base_resp.1041"),
        Kind.AUTH: ("base_resp.1004", "base_resp.2049"),
        Kind.SPEND_LIMIT: ("base_resp.1008", "base_resp.2056"),
        Kind.REFUSED: ("base_resp.1026", "base_resp.1027"),
        Kind.INVALID_REQUEST: ("base_resp.1042", "base_resp.2013"),
    },
)

OTHERS = (
    *rows(
        "docs.together.ai/docs/rate-limits",
        {Kind.RAMP_LIMITED: ("dynamic_request_limited", "dynamic_token_limited"), None: ("rate_limit",)},
    ),
    *rows("api-docs.deepseek.com/quick_start/error_codes", {None: ("unknown_error",)}),
)
HOSTS = (*OPENROUTER, *GROQ, *MISTRAL, *DASHSCOPE, *KIMI, *ZHIPU, *MINIMAX, *OTHERS)

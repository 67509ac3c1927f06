"""Codes of OpenAI's API: ``error.code``, then ``error.type``."""

from dataclasses import replace

from holdfast.model.fault import FaultKind as Kind
from holdfast.wire.codes.code_row import rows

GUIDE = "developers.openai.com/api/docs/guides/error-codes"
QUOTA = (
    "learn.microsoft.com/microsoft-cloud/dev/dev-proxy/concepts/openai-insufficient-quota, which quotes OpenAI's guide"
)
RESPONSE = "openai 3.57, types/responses/response_error.py"

OPENAI = (
    *rows(
        GUIDE,
        {
            Kind.SPEND_LIMIT: ("billing_hard_limit_reached", "billing_not_active"),
            Kind.TOO_LONG: ("context_length_exceeded", "string_above_max_length"),
            Kind.MODEL_NOT_FOUND: ("model_not_found",),
            Kind.AUTH: (
                "invalid_api_key", "invalid_organization", "account_deactivated", "mismatched_organization",
                "mismatched_project", "token_expired",
            ),
            Kind.FORBIDDEN: (
                "unsupported_country_region_territory", "ip_not_authorized", "insufficient_permissions",
                "missing_scope", "organization_must_be_verified",
            ),
            Kind.RAMP_LIMITED: ("slow_down",),
            Kind.OVERLOADED: ("server_is_overloaded", "engine_overloaded"),
            Kind.REFUSED: ("content_policy_violation", "content_filter", "moderation_blocked", "cyber_policy"),
            Kind.INVALID_REQUEST: (
                "previous_response_not_found", "response_not_found", "conversation_not_found", "item_not_found",
                "container_expired", "container_not_found", "vector_store_not_found", "prompt_not_found",
            ),
            None: (
                "requests", "tokens", "input_tokens", "output_tokens", "server_error", "internal_error",
                "internal_server_error", "invalid_value", "unsupported_parameter", "unsupported_value",
                "unknown_parameter", "integer_above_max_value", "integer_below_min_value", "decimal_above_max_value",
                "decimal_below_min_value", "string_below_min_length", "array_above_max_length",
                "array_below_min_length", "empty_array", "empty_string", "invalid_json_schema", "invalid_base64",
                "invalid_function_parameters", "image_generation_user_error", "failed", "cancelled", "incomplete",
            ),
        },
    ),
    *rows(
        QUOTA,
        {
            Kind.SPEND_LIMIT: (
                "credit_balance_exhausted", "organization_spend_limit_exceeded", "project_spend_limit_exceeded",
                "organization_usage_limit_exceeded",
            ),
        },
    ),
    *rows("github.com/paulgmiller/careme/issues/379", {Kind.CONFLICT: ("conversation_locked",)}),  # a 400
    *rows(
        RESPONSE,
        {
            Kind.REFUSED: ("bio_policy", "misalignment_policy_violation", "image_content_policy_violation"),
            Kind.FORBIDDEN: ("data_residency_mismatch",),
            Kind.SERVER_ERROR: ("vector_store_timeout",),
            Kind.INVALID_REQUEST: (
                "invalid_image", "invalid_image_format", "invalid_base64_image", "invalid_image_url",
                "image_too_large", "image_too_small", "image_parse_error", "invalid_image_mode",
                "image_file_too_large", "unsupported_image_media_type", "empty_image_file",
                "failed_to_download_image", "image_file_not_found",
            ),
        },
    ),
    # Alibaba's limit per minute is an insufficient_quota as well, and a filter says invalid_prompt.
    *rows(
        GUIDE,
        {
            Kind.SPEND_LIMIT: ("insufficient_quota",),
            Kind.RATE_LIMITED: ("rate_limit_exceeded",),
            Kind.INVALID_REQUEST: ("invalid_prompt",),
        },
        vague=True,
    ),
    *(
        replace(row, wrong_everywhere=True)
        for row in rows(GUIDE, {None: ("invalid_type", "missing_required_parameter")})
    ),
)  # fmt: skip

"""Codes of Google's APIs: reasons of ``google.rpc.ErrorInfo``, and names of ``google.rpc.Code``."""

from holdfast.model.fault import FaultKind as Kind
from holdfast.wire.codes.code_row import rows

REASONS = "googleapis, google/api/error_reason.proto"
CODES = "googleapis, google/rpc/code.proto; ai.google.dev/gemini-api/docs/troubleshooting"

GOOGLE = (
    *rows(
        REASONS,
        {
            Kind.AUTH: (
                "API_KEY_INVALID", "API_KEY_EXPIRED", "API_KEY_NOT_FOUND", "ACCESS_TOKEN_EXPIRED",
                "ACCESS_TOKEN_TYPE_UNSUPPORTED", "CREDENTIALS_MISSING", "ACCOUNT_STATE_INVALID",
                "USER_ACCOUNT_DISABLED", "CONSUMER_INVALID", "CONSUMER_SUSPENDED", "SESSION_COOKIE_INVALID",
            ),
            Kind.SPEND_LIMIT: ("BILLING_DISABLED",),
            Kind.FORBIDDEN: (
                "SERVICE_DISABLED", "SERVICE_NOT_VISIBLE", "API_KEY_SERVICE_BLOCKED", "API_KEY_HTTP_REFERRER_BLOCKED",
                "API_KEY_IP_ADDRESS_BLOCKED", "ACCESS_TOKEN_SCOPE_INSUFFICIENT", "IAM_PERMISSION_DENIED",
                "USER_PROJECT_DENIED", "LOCATION_POLICY_VIOLATED", "LOCATION_ORG_POLICY_VIOLATED",
                "SECURITY_POLICY_VIOLATED", "ORG_RESTRICTION_VIOLATION",
            ),
            Kind.RATE_LIMITED: ("RESOURCE_QUOTA_EXCEEDED", "RESOURCE_USAGE_RESTRICTION_VIOLATED"),
        },
    ),
    # "No capacity available for model … on the server": of a 503 that is UNAVAILABLE, and of a 429 as well.
    *rows("github.com/google-gemini/gemini-cli/issues/23520", {Kind.OVERLOADED: ("MODEL_CAPACITY_EXHAUSTED",)}),
    # "Not available in your country", "enable billing": never the job's.
    *rows(
        CODES,
        {
            Kind.AUTH: ("UNAUTHENTICATED",),
            Kind.FORBIDDEN: ("PERMISSION_DENIED", "FAILED_PRECONDITION"),
            Kind.RATE_LIMITED: ("RESOURCE_EXHAUSTED",),
            Kind.OVERLOADED: ("UNAVAILABLE",),
        },
        vague=True,
    ),
    *rows(
        CODES,
        {
            Kind.CONFLICT: ("ABORTED",),
            None: (
                "INVALID_ARGUMENT", "NOT_FOUND", "INTERNAL", "DEADLINE_EXCEEDED", "OUT_OF_RANGE", "UNIMPLEMENTED",
                "CANCELLED", "UNKNOWN", "DATA_LOSS", "ALREADY_EXISTS",
            ),
        },
    ),
)  # fmt: skip

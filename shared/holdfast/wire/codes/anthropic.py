"""Codes of Anthropic's API: ``error.details.error_code`` and ``error.type``."""

from holdfast.model.fault import FaultKind as Kind
from holdfast.wire.codes.code_row import rows

DETAILS = "anthropic 2.14, types/shared/*_error_details.py and types/beta_*_error_details.py"
TYPES = "anthropic 2.14, types/shared/error_type.py; platform.claude.com/docs/en/api/errors"

ANTHROPIC = (
    *rows(
        DETAILS,
        {
            Kind.SPEND_LIMIT: (
                "enforced_spend_limit_reached", "contract_spend_limit_reached", "organization_on_hold",
                "linked_organization_spend_limit_reached", "linked_organization_billing_unavailable",
            ),
            Kind.RAMP_LIMITED: ("ramp_limit_exceeded",),
            Kind.OVERLOADED: ("authorization_check_unavailable", "overloaded"),
            Kind.SERVER_ERROR: ("cmek_key_unreachable", "change_outcome_unknown"),
            Kind.REQUEST_TIMEOUT: ("request_body_timeout",),
            Kind.TOO_LONG: ("prompt_too_long", "request_body_too_large_after_decoding"),
            # Some come as 400, but all tell of the key's workspace or organization.
            Kind.FORBIDDEN: (
                "workspace_human_review_disabled", "organization_not_eligible", "organization_type_not_supported",
                "organization_not_enrolled_in_beta", "parent_organization_required", "api_key_scope_missing",
                "region_not_supported", "unsupported_region", "provider_not_allowed", "workspace_policy_violation",
                "cmek_key_disabled", "cmek_key_network_blocked", "cmek_context_unavailable", "cmek_not_approved",
                "gcp_project_not_verified",
            ),
            Kind.INVALID_REQUEST: (
                "file_not_found", "file_expired", "image_dimensions_too_large", "tool_name_conflict",
                "tool_reference_unresolved", "compaction_signature_invalid", "request_body_encoding_invalid",
                "request_body_encoding_unsupported", "unsupported_charset", "user_profile_not_found",
                "user_profile_required", "user_profile_not_billable", "user_profile_billing_not_authorized",
            ),
        },
    ),
    *rows(
        TYPES,
        {
            Kind.SPEND_LIMIT: ("billing_error",),
            Kind.OVERLOADED: ("overloaded_error",),
            Kind.TOO_LONG: ("request_too_large",),
            None: (
                "invalid_request_error", "permission_error", "not_found_error", "timeout_error", "api_error",
                "conflict_error", "invalid_beta",
            ),
        },
    ),
    *rows(TYPES, {Kind.AUTH: ("authentication_error",), Kind.RATE_LIMITED: ("rate_limit_error",)}, vague=True),
)  # fmt: skip

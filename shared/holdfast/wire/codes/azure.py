"""Codes of Azure: ``error.code``, and ``error.innererror.code`` of its content filter."""

from holdfast.model.fault import FaultKind as Kind
from holdfast.wire.codes.code_row import rows

REFERENCE = "learn.microsoft.com/azure/ai-foundry/openai/reference"
FILTER = "learn.microsoft.com/azure/ai-foundry/openai/concepts/content-filter"
COMMON = "learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors"
VERSIONS = "github.com/microsoft/api-guidelines/blob/vNext/azure/Guidelines.md#api-versioning"

AZURE = (
    *rows(
        REFERENCE,
        {
            Kind.MODEL_NOT_FOUND: ("DeploymentNotFound", "OperationNotSupported", "UnsupportedOperation"),
            Kind.RATE_LIMITED: ("RateLimitReached", "too_many_requests"),
            Kind.OVERLOADED: ("NoCapacity", "ModelOverloaded"),
            Kind.SERVER_ERROR: ("FailedDependency",),
            Kind.REQUEST_TIMEOUT: ("RequestTimeout",),
            Kind.AUTH: ("InvalidAuthenticationToken", "InvalidSubscriptionKey"),
            None: ("BadRequest", "Forbidden", "NotFound", "GatewayTimeout", "Timeout", "UnprocessableEntity"),
        },
    ),
    *rows(  # of the route's settings
        VERSIONS,
        {
            Kind.MODEL_NOT_FOUND: (
                "UnsupportedApiVersionValue", "UnsupportedApiVersion", "MissingApiVersionParameter",
                "InvalidApiVersionParameter",
            ),
        },
    ),
    *rows(FILTER, {Kind.REFUSED: ("ResponsibleAIPolicyViolation", "content_filter_error")}),
    *rows(COMMON, {Kind.SPEND_LIMIT: ("SubscriptionDisabled", "ReadOnlyDisabledSubscription")}),
    *rows(
        REFERENCE,
        {
            Kind.SPEND_LIMIT: ("QuotaExceeded",),
            Kind.AUTH: ("Unauthorized",),
            Kind.FORBIDDEN: ("AccessDenied", "PermissionDenied"),
            Kind.MODEL_NOT_FOUND: ("ResourceNotFound",),
        },
        vague=True,
    ),
)  # fmt: skip

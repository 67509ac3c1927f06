"""Codes of Amazon Bedrock: the header ``x-amzn-errortype``, ``__type`` in the body, ``Code`` in XML."""

from holdfast.model.fault import FaultKind as Kind
from holdfast.wire.codes.code_row import rows

GUIDE = "docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html"
INVOKE = "docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html"
SIGNING = "docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html"

AWS = (
    *rows(
        INVOKE,
        {
            Kind.RATE_LIMITED: ("TooManyRequestsException",),
            Kind.OVERLOADED: ("ModelNotReadyException", "ServiceUnavailableException", "ServiceUnavailable"),
            Kind.SERVER_ERROR: (  # ModelErrorException comes as 424
                "ModelTimeoutException", "ModelErrorException", "ModelStreamErrorException", "InternalServerException",
            ),
            Kind.CONFLICT: ("ConflictException",),
            None: ("ValidationException",),  # also where it means that access is missing: the message tells
        },
    ),
    *rows(
        GUIDE,
        {
            Kind.FORBIDDEN: (
                "FTUFormNotFilled", "MPAgreementBeingCreated", "BadCScoreException", "NotAuthorized", "OptInRequired",
            ),
            Kind.AUTH: ("InvalidClientTokenId",),
            Kind.CLOCK_SKEW: ("RequestExpired",),
            Kind.MODEL_NOT_FOUND: ("InvalidAction",),  # the route's address
            None: ("ValidationError", "InternalFailure"),
        },
    ),
    *rows(
        SIGNING,
        {
            Kind.CLOCK_SKEW: ("RequestTimeTooSkewed", "RequestInTheFuture"),
            Kind.AUTH: (  # these come as 403
                "ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException", "IncompleteSignature",
                "IncompleteSignatureException", "MissingAuthenticationToken", "MissingAuthenticationTokenException",
                "InvalidAccessKeyId",
            ),
        },
    ),
    *rows(SIGNING, {Kind.AUTH: ("InvalidSignatureException", "SignatureDoesNotMatch")}, vague=True),
    *rows(
        INVOKE,
        {
            Kind.RATE_LIMITED: ("ThrottlingException", "ServiceQuotaExceededException"),
            Kind.MODEL_NOT_FOUND: ("ResourceNotFoundException",),
            Kind.FORBIDDEN: ("AccessDeniedException",),
        },
        vague=True,
    ),
)  # fmt: skip

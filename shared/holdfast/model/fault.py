"""What a failure means to us. Adapters make faults; policy decides about them; nobody else interprets a status code."""

from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """Every meaning a failure can have. What is done about each stands in ``policy/fault_rules.py``."""

    INVALID_REQUEST = "invalid_request"  # 400, 422: the request is wrong
    UNMAPPABLE = "unmappable"  # this route's wire format cannot say what the request says; no byte was sent
    TOO_LONG = "too_long"  # context length, 413, "request too large"
    SPEND_LIMIT = "spend_limit"  # money, whatever status it came with
    AUTH = "auth"  # 401, and Gemini's 400 API_KEY_INVALID
    NO_TOKEN = "no_token"  # noqa: S105  the issuer of tokens, or the place of a key, is away; no byte was sent
    CLOCK_SKEW = "clock_skew"  # a signature expired, or not yet valid: the clock of this host is off
    FORBIDDEN = "forbidden"  # 403
    MODEL_NOT_FOUND = "model_not_found"  # 404
    REQUEST_TIMEOUT = "request_timeout"  # 408
    CONFLICT = "conflict"  # 409
    RATE_LIMITED = "rate_limited"  # 429
    RAMP_LIMITED = "ramp_limited"  # ramp_limit_exceeded, slow_down: growth is too fast
    SERVER_ERROR = "server_error"  # 5xx but those named below
    OVERLOADED = "overloaded"  # 529, 503 with an overload code
    UNREACHABLE = "unreachable"  # DNS, connect, TLS: no byte of the request was sent
    TIMED_OUT = "timed_out"  # our total deadline passed after bytes were sent: ambiguous
    CONNECTION_LOST = "cut"  # the connection ended after bytes were sent: ambiguous
    BAD_ANSWER = "bad_answer"  # 200 with HTML, broken JSON, another shape, no content
    BAD_OUTPUT = "bad_output"  # a well-formed answer that breaks the job's own schema or rules
    REFUSED = "refused"  # the model would not answer, and the job asks for another one's opinion
    HEDGE_PRIMARY_LOST = (
        "outrun"  # a hedged job's second call answered first, and this first one was cancelled: ambiguous
    )
    HEDGE_SECONDARY_LOST = "needless"  # its first call answered first, and this second one was cancelled: ambiguous
    INTERNAL = "ours"  # our own Redis, SQL or limiter, or a mistake of ours: see ``exception_fault``
    POISON = "poison"  # the job's worker died three times while it held the job
    EXHAUSTED = "exhausted"  # attempts or calls used up
    EXPIRED = "expired"  # expires_at passed


class Evidence(StrEnum):
    """What in an answer told the kind of its fault, from the surest to the weakest."""

    CODE = "code"  # a code that stands in a table
    WORDS = "words"  # the wording of a message: a hint, that a provider may change tomorrow
    STATUS = "status"  # nothing but the HTTP status; or no answer came, and this side judged by itself


@dataclass(frozen=True, slots=True)
class Fault:
    """One failure, understood.

    ``message`` is short and safe to show: never prompt text, never a key. ``retry_after`` is in seconds, from the
    provider. ``ambiguous`` says that bytes were sent and no answer came: the provider may have run and billed the call.
    ``mapped``: our own mapping changed what was sent, and may be what was wrong with it. ``unfamiliar``: the provider
    gave a code, or a status, that none of our tables knows; the kind is the safe one of its class. ``evidence``: what
    told the kind. ``wrong_everywhere``: a table says of its code that no route takes such a request. ``is_page``: a
    page (HTML) of what stands before the API, not a word of the API itself. ``output_ceiling``: the
    most output tokens that the provider would have granted, where it names them. ``names_part``: the request is called
    wrong, and the answer names the part of it that is.
    """

    kind: FaultKind
    message: str = ""
    status: int | None = None
    code: str | None = None
    retry_after: float | None = None
    ambiguous: bool = False
    provider_request_id: str | None = None
    mapped: bool = False
    unfamiliar: bool = False
    evidence: Evidence = Evidence.STATUS
    wrong_everywhere: bool = False
    is_page: bool = False
    output_ceiling: int | None = None
    names_part: bool = False

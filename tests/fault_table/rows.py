"""The table of failures: for each row what stands on the wire, and everything that follows from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from holdfast.model.fault import FaultKind as K
from holdfast.model.request import OnRefusal, Output, Request, Role, Text, Turn
from holdfast.model.route import Api
from holdfast.model.step import Bury, Complete, Reroute, Retry, Snooze, Step
from holdfast.policy.signals import Signal
from providers.loopback import Act, answers, closes, cuts, error, hangs, http, resets, success

WIRES = (Api.ANTHROPIC, Api.OPENAI_CHAT, Api.OPENAI_RESPONSES)
A, C, R = WIRES
OK, FAULT, FATAL, CLIENT_ERROR, NO = Signal.OK, Signal.FAULT, Signal.FATAL, Signal.CLIENT_ERROR, Signal.NONE
SUSPECT = Signal.SUSPECT
HTML = b"<!DOCTYPE html><html><body>blocked</body></html>"
NOWHERE = "nowhere"  # nobody listens at the address
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}
PROMPT = Request(turns=(Turn(role=Role.USER, parts=(Text(text="What holds?"),)),), max_tokens=50)
SHAPED = PROMPT.model_copy(update={"output": Output(json_schema=SCHEMA)})
Wire = Callable[[Api], Act | str]


@dataclass(frozen=True, slots=True)
class Row:
    """One signal. ``steps``: with another route, and alone. ``heard``: route, credential, endpoint, where a code
    tells the kind; without one, what is fatal there is in doubt.

    ``kind`` None: a reply. ``uses_attempt`` is of the step, or None where the step has no such choice. ``pause`` in
    seconds, before jitter. ``then``: the steps of the same fault after one, two, … attempts that ended so.
    """

    line: int  # of the table of failures, from 1
    signal: str
    wire: Wire
    kind: K | None
    steps: tuple[type[Step], type[Step]]
    heard: tuple[Signal, Signal, Signal]
    uses_attempt: bool | None = False
    pause: float | None = None
    ambiguous: bool = False
    request: Request = PROMPT
    never_here: bool = False
    then: Sequence[type[Step]] = field(default=())


def says(status: int, type_: str, code: str | None = None, message: str = "no", **headers: str) -> Wire:
    return lambda api: answers(status, error(api, type_, message, code), **headers)


def of(claude: Any, openai: Any) -> Wire:
    """Another answer for each family: (status, type, code)."""

    def wire(api: Api) -> Act:
        status, type_, code = claude if api is A else openai
        return answers(status, error(api, type_, code=code))

    return wire


def bare(status: int, body: bytes = b"", **headers: str) -> Wire:
    return lambda api: answers(status, body, **headers)


def answered(**by_api: Callable[[], Any]) -> Wire:
    return lambda api: answers(200, by_api[api.value.replace("-", "_")]())


def google(*reasons: str) -> Wire:
    details = [{"@type": "google.rpc.ErrorInfo", "reason": reason} for reason in reasons]
    return bare(400, orjson.dumps([{"error": {"code": 400, "status": "INVALID_ARGUMENT", "details": details}}]))


def google_wait(delay: str) -> Wire:
    details = [{"@type": "google.rpc.RetryInfo", "retryDelay": delay}]
    return bare(429, orjson.dumps([{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": details}}]))


def cut_answer(api: Api) -> Act:
    return cuts(http(200, orjson.dumps(success(api)))[:-10])


def stopped(claude: str, chat: str, responses: str) -> Wire:
    """An answer that ended otherwise than by itself."""
    bodies: dict[Api, dict[str, Any]] = {
        A: success(A, stop_reason=claude),
        C: success(C, choices=[{"message": {"content": "It h"}, "finish_reason": chat}]),
        R: success(R, status="incomplete", incomplete_details={"reason": responses}),
    }
    return lambda api: answers(200, bodies[api])


GUARDED, LATER, PARKED = (Reroute, Retry), (Retry, Retry), (Reroute, Snooze)
MONEY = {"heard": (NO, FATAL, OK), "kind": K.SPEND_LIMIT, "steps": PARKED}
SIZE: dict[str, Any] = {"kind": K.TOO_LONG, "steps": (Reroute, Bury), "heard": (NO, OK, OK)} | {
    "uses_attempt": True, "never_here": True
}  # fmt: skip
KEY: dict[str, Any] = {"kind": K.AUTH, "steps": PARKED, "heard": (NO, FAULT, Signal.AUTH_REJECTED)}
LIMIT: dict[str, Any] = {"kind": K.RATE_LIMITED, "steps": PARKED, "heard": (NO, OK, OK)}
GROWTH: dict[str, Any] = {"kind": K.RAMP_LIMITED, "steps": PARKED, "heard": (NO, OK, OK)}
ILL: dict[str, Any] = {"kind": K.SERVER_ERROR, "steps": GUARDED, "heard": (FAULT, NO, OK)}
BUSY: dict[str, Any] = ILL | {"kind": K.OVERLOADED}
GARBLED: dict[str, Any] = {"kind": K.BAD_ANSWER, "steps": GUARDED, "heard": (FAULT, NO, OK)}
AGAIN: dict[str, Any] = {"steps": LATER, "uses_attempt": True, "then": (Retry, Reroute, Reroute, Bury)}
SILENT: dict[str, Any] = {"steps": GUARDED, "heard": (FAULT, NO, NO), "ambiguous": True}
# Nobody is there to be compared with: so it is tried elsewhere, or once more.
WRONG: dict[str, Any] = {"kind": K.INVALID_REQUEST, "steps": GUARDED, "heard": (CLIENT_ERROR, OK, OK)} | {
    "uses_attempt": True, "never_here": True
}  # fmt: skip
WELL: dict[str, Any] = {"kind": None, "steps": (Complete, Complete), "heard": (OK, OK, OK), "uses_attempt": None}

ROWS: tuple[Row, ...] = (
    Row(1, "400", says(400, "invalid_request_error"), **WRONG),
    Row(1, "422", says(422, "invalid_request_error"), **WRONG),
    Row(1, "a 4xx that nobody knows", bare(418), **WRONG),
    Row(1, "a code that nobody knows", says(400, "of_another_year"), **WRONG),
    Row(
        2,
        "400 with a spend limit",
        of((400, "invalid_request_error", "organization_on_hold"), (400, "billing", "billing_hard_limit_reached")),
        **MONEY,
    ),
    Row(2, "402", bare(402), **MONEY),
    Row(
        2,
        "429 with a money code",
        of(
            (429, "rate_limit_error", "enforced_spend_limit_reached"),
            (429, "insufficient_quota", "credit_balance_exhausted"),
        ),
        **MONEY,
    ),
    Row(2, "429 with a money type", of((403, "billing_error", None), (429, "insufficient_quota", None)), **MONEY),
    Row(
        3,
        "context too long",
        lambda api: answers(
            400,
            error(
                api,
                "invalid_request_error",
                "prompt is too long: 9 tokens > 8 maximum",
                None if api is A else "context_length_exceeded",
            ),
        ),
        **SIZE,
    ),
    Row(3, "413", bare(413), **SIZE),
    Row(3, "413 of a CDN", bare(413, HTML, content_type="text/html"), **SIZE),
    Row(
        3,
        "request too large 429",
        says(429, "rate_limit_error", message="Request too large for m: Limit 1, Requested 2"),
        **SIZE,
    ),
    Row(4, "401", of((401, "authentication_error", None), (401, "invalid_request_error", "invalid_api_key")), **KEY),
    Row(4, "401 without a body", bare(401), **KEY),
    Row(5, "403", says(403, "permission_error"), K.FORBIDDEN, PARKED, (SUSPECT, NO, OK)),
    Row(5, "403 of a CDN", bare(403, HTML, content_type="text/html"), **ILL),
    Row(
        6,
        "404",
        of((404, "not_found_error", None), (404, "invalid_request_error", "model_not_found")),
        K.MODEL_NOT_FOUND,
        PARKED,
        (FATAL, NO, OK),
    ),
    Row(
        7,
        "408",
        bare(408),
        K.REQUEST_TIMEOUT,
        heard=(FAULT, NO, OK),
        **{**AGAIN, "then": (Retry, Reroute, Reroute, Reroute)},
    ),
    Row(7, "409", bare(409), K.CONFLICT, heard=(NO, OK, OK), **AGAIN),
    Row(8, "429 with Retry-After", says(429, "rate_limit_error", retry_after="7"), **LIMIT, pause=7.0),
    Row(8, "429 with retry-after-ms", says(429, "rate_limit_error", retry_after_ms="250"), **LIMIT, pause=0.25),
    Row(9, "429 without Retry-After", says(429, "rate_limit_error"), **LIMIT, pause=1.0),
    Row(
        10,
        "growth",
        of((429, "rate_limit_error", "ramp_limit_exceeded"), (503, "rate_limit_error", "slow_down")),
        **GROWTH,
        pause=1.0,
    ),
    *(Row(11, str(status), bare(status), **ILL) for status in (500, 502, 503, 504, *range(520, 529), 530, 599)),
    Row(11, "529", bare(529), **BUSY),
    Row(11, "overloaded", of((500, "overloaded_error", None), (503, "server_error", "server_is_overloaded")), **BUSY),
    Row(
        11,
        "overloaded inside a 200",
        answered(
            anthropic=lambda: error(A, "overloaded_error"),
            openai_chat=lambda: error(C, "server_error", code="server_is_overloaded"),
            openai_responses=lambda: success(R, status="failed", output=[], error={"code": "server_is_overloaded"}),
        ),
        **BUSY,
    ),
    Row(11, "a page of a proxy", bare(502, HTML, content_type="text/html"), **ILL),
    Row(12, "nobody listens", lambda _: NOWHERE, K.UNREACHABLE, GUARDED, (NO, NO, FAULT)),
    Row(13, "deadline", lambda _: hangs, K.TIMED_OUT, **SILENT),
    Row(13, "reset after the request", lambda _: resets, K.CONNECTION_LOST, **SILENT),
    Row(13, "closed after the request", lambda _: closes, K.CONNECTION_LOST, **SILENT),
    Row(13, "cut in the body", cut_answer, K.CONNECTION_LOST, **SILENT),
    Row(14, "200 with HTML", bare(200, HTML, content_type="text/html"), **GARBLED),
    Row(14, "200 with broken JSON", bare(200, b'{"id": "x", "con'), **GARBLED),
    Row(14, "200 with another shape", bare(200, b'{"object": "list"}'), **GARBLED),
    Row(
        14,
        "200 without content or end",
        answered(
            anthropic=lambda: success(A, content=[], stop_reason=None),
            openai_chat=lambda: success(C, choices=[{"message": {"content": None}, "finish_reason": None}]),
            openai_responses=lambda: success(R, output=[], status=None),
        ),
        **GARBLED,
    ),
    Row(
        14,
        "a failure inside a 200",
        answered(
            anthropic=lambda: error(A, "api_error"),
            openai_chat=lambda: error(C, "server_error"),
            openai_responses=lambda: success(R, status="failed", output=[], error={"code": "server_error"}),
        ),
        **GARBLED,
    ),
    Row(15, "max_tokens", stopped("max_tokens", "length", "max_output_tokens"), **WELL),
    Row(16, "refusal", stopped("refusal", "content_filter", "content_filter"), **WELL),
    Row(
        16,
        "refusal of a job that wants another opinion",
        stopped("refusal", "content_filter", "content_filter"),
        **WELL | {"steps": (Reroute, Complete)},
        request=PROMPT.model_copy(update={"on_refusal": OnRefusal.REROUTE}),
        never_here=True,
    ),
    Row(
        17,
        "an answer that breaks its schema",
        lambda api: answers(200, success(api, text='{"a": "one"}')),
        K.BAD_OUTPUT,
        LATER,
        (OK, OK, OK),
        uses_attempt=True,
        request=SHAPED,
        then=(Reroute, Bury),
    ),
)

# Google says some of it in its own way, on its endpoint that speaks Chat Completions.
GOOGLE: tuple[Row, ...] = (
    Row(4, "400 API_KEY_INVALID", google("API_KEY_INVALID"), **KEY),
    Row(8, "429 with RetryInfo", google_wait("45.5s"), **LIMIT, pause=45.5),
)
LINES = 18  # rows of the table; the last is about our own Redis and SQL, and is driven by tests/system

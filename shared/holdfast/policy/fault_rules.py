"""What is done about each kind of fault: one row per kind, and the only table over kinds.

Every other set of kinds is derived from a column of it; docs/faults.md shows it.
"""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import Outcome
from holdfast.policy.backoff import CAP
from holdfast.policy.signals import Signal

if TYPE_CHECKING:
    from holdfast.model.reply import Reply

GUARDED_CAP = 10.0  # seconds; where a breaker paces the route, a job's own jitter only spreads the herd


class Scope(StrEnum):
    """How far a fault reaches."""

    JOB = "job"
    CREDENTIAL = "credential"
    GROUP = "group"  # one credential's use of one model group
    ROUTE = "route"  # endpoint + model
    ENDPOINT = "endpoint"
    US = "us"  # this installation


class FaultAction(StrEnum):
    """What becomes of the job. A wait ends at the job's deadline; see ``retry``."""

    REROUTE = "reroute"  # another route now; alone: later on this one
    RETRY_HERE = "retry_here"  # again on this route, ``repeats_here`` times at most; then as REROUTE
    EXCLUDE_ROUTE = "exclude_route"  # another route; this one never again; none left: bury
    SNOOZE = "snooze"  # later; the fault is ours
    BURY = "bury"


@dataclass(frozen=True, slots=True)
class FaultRule:
    """One row of the table."""

    scope: Scope
    """How far the fault reaches: a fault of scope job alone uses a job's attempts up."""
    action: FaultAction
    """What becomes of the job."""
    _: KW_ONLY
    words: str
    """The kind for a person, beside a route and a status: what was answered, or what came instead of an answer."""
    advice: str
    """What a person reads: what happened, and what to do about it."""
    uses_attempt: bool = False
    """Whether the outcome is the job's own doing, and counts against ``MAX_ATTEMPTS``; others may: ``comparison``."""
    may_be_billed: bool = False
    """Whether the provider may have run the call, so that it counts against ``MAX_CALLS`` and keeps its units."""
    sent: bool = True
    """Whether any byte of the request left. If none did, the bucket gets everything back that the call reserved."""
    given_up: bool = False
    """Whether this side stopped waiting for an answer that may still have come."""
    waits: bool = False
    """Whether a snooze for it leaves the next backoff as wide as it was: nothing failed."""
    snoozes: bool = False
    """Whether a wait for it is a snooze: the job did nothing wrong, and something else says when it may go on."""
    route: Signal = Signal.NONE
    """What the route's breaker records."""
    credential: Signal = Signal.NONE
    """What the credential's breaker records."""
    endpoint: Signal = Signal.NONE
    """What the endpoint's breaker records."""
    pauses_bucket: bool = False
    """Whether the bucket gives nothing until the provider's Retry-After has passed."""
    repeats_here: int = 0
    """Repeats on the same route before the job goes elsewhere."""
    most: int | None = None
    """Repeats in all before the job is buried. None: as many as its attempts and calls allow."""
    ends_when_repeated: bool = False
    """Whether the same again, right after it, ends the job: it was paid for twice, and nothing came of it."""
    is_refusal: bool = False
    """Whether the provider would not take the request, though it answers: said again of one job alone, it is final."""
    cap: float = GUARDED_CAP
    """Widest draw of the backoff, seconds."""

    @property
    def is_connectivity_fault(self) -> bool:
        """Whether nothing came back from the provider, so that this host's own link may be what is broken."""
        return Signal.FAULT in {self.route, self.endpoint} and self.endpoint is not Signal.OK

    @property
    def suspects_key(self) -> bool:
        """Whether the same route may do better with another key, at once."""
        return self.pauses_bucket or self.credential in {Signal.FAULT, Signal.FATAL}


_OK, _FAULT, _FATAL, _SUSPECT = Signal.OK, Signal.FAULT, Signal.FATAL, Signal.SUSPECT

FAULT_RULES: Mapping[FaultKind, FaultRule] = {
    FaultKind.INVALID_REQUEST: FaultRule(
        Scope.JOB, FaultAction.EXCLUDE_ROUTE, uses_attempt=True, is_refusal=True, route=Signal.CLIENT_ERROR,
        credential=_OK, endpoint=_OK,
        words="invalid request",
        advice="the provider calls the request itself wrong. Correct it and submit it anew",
    ),
    FaultKind.UNMAPPABLE: FaultRule(
        Scope.JOB, FaultAction.EXCLUDE_ROUTE, sent=False,
        words="not sayable in this route's format",
        advice="the route's wire format cannot say what the request says. Give the plan a route that can",
    ),
    FaultKind.TOO_LONG: FaultRule(
        Scope.JOB, FaultAction.EXCLUDE_ROUTE, uses_attempt=True, credential=_OK, endpoint=_OK,
        words="request too long",
        advice="the request is longer than the model takes. Shorten it, or give the plan a route that takes more",
    ),
    FaultKind.SPEND_LIMIT: FaultRule(
        Scope.CREDENTIAL, FaultAction.REROUTE, snoozes=True, is_refusal=True, credential=_FATAL, endpoint=_OK,
        words="money used up",
        advice="its money is used up. Raise the limit at the provider",
    ),
    FaultKind.AUTH: FaultRule(
        Scope.CREDENTIAL, FaultAction.REROUTE, snoozes=True, credential=_FAULT, endpoint=Signal.AUTH_REJECTED,
        words="key refused",
        advice="the provider refuses its key. If the key was revoked, put a new one in its place; no restart is needed",
    ),
    # The provider was not asked: its endpoint's breaker records nothing of a token issuer's outage.
    FaultKind.NO_TOKEN: FaultRule(
        Scope.CREDENTIAL, FaultAction.REROUTE, sent=False, snoozes=True, credential=_FAULT,
        words="no key or token to log in with",
        advice="there is no key or token to log in with. Look at its issuer or its secret's place",
    ),
    # Signed requests from other hosts are taken: no breaker of the fleet records it.
    FaultKind.CLOCK_SKEW: FaultRule(
        Scope.US, FaultAction.SNOOZE, waits=True,
        words="this host's clock is off",
        advice="this host's clock is off, so its signatures are not taken. Set the clock; its jobs wait",
    ),
    FaultKind.FORBIDDEN: FaultRule(
        Scope.GROUP, FaultAction.REROUTE, snoozes=True, is_refusal=True, route=_SUSPECT, endpoint=_OK,
        words="access not allowed",
        advice="the key may not use this model. Ask the provider for it, or take the route out of the plan",
    ),
    # Nothing but a reload of the configuration mends a wrong model name: the route is parked at once.
    FaultKind.MODEL_NOT_FOUND: FaultRule(
        Scope.ROUTE, FaultAction.REROUTE, snoozes=True, is_refusal=True, route=_FATAL, endpoint=_OK,
        words="unknown model",
        advice="the provider does not know the route's model. Correct its name in the configuration",
    ),
    FaultKind.REQUEST_TIMEOUT: FaultRule(
        Scope.ROUTE, FaultAction.RETRY_HERE, uses_attempt=True, route=_FAULT, endpoint=_OK, repeats_here=2,
        words="request read too slowly",
        advice="the provider gave up reading the request. It is sent again",
    ),
    FaultKind.CONFLICT: FaultRule(
        Scope.JOB, FaultAction.RETRY_HERE, uses_attempt=True, credential=_OK, endpoint=_OK, repeats_here=2, cap=CAP,
        words="conflict",
        advice="the provider refused the request for a conflict. It is sent again",
    ),
    FaultKind.RATE_LIMITED: FaultRule(
        Scope.GROUP, FaultAction.REROUTE, waits=True, snoozes=True, credential=_OK, endpoint=_OK, pauses_bucket=True,
        words="rate limit reached",
        advice="the rate limit is reached. Jobs wait for it; set the limit in the configuration where it is known",
    ),
    FaultKind.RAMP_LIMITED: FaultRule(
        Scope.CREDENTIAL, FaultAction.REROUTE, waits=True, snoozes=True, credential=_OK, endpoint=_OK,
        pauses_bucket=True,
        words="growth too fast",
        advice="the provider wants slower growth. Jobs wait for it",
    ),
    FaultKind.SERVER_ERROR: FaultRule(
        Scope.ROUTE, FaultAction.REROUTE, route=_FAULT, endpoint=_OK,
        words="server error",
        advice="the provider failed. Jobs wait or take another route",
    ),
    FaultKind.OVERLOADED: FaultRule(
        Scope.ROUTE, FaultAction.REROUTE, route=_FAULT, endpoint=_OK,
        words="overloaded",
        advice="the provider is overloaded. Jobs wait or take another route",
    ),
    FaultKind.UNREACHABLE: FaultRule(
        Scope.ENDPOINT, FaultAction.REROUTE, sent=False, endpoint=_FAULT,
        words="no connection",
        advice="there is no connection to the provider. Look at its address, DNS, proxy and TLS",
    ),
    FaultKind.TIMED_OUT: FaultRule(
        Scope.ROUTE, FaultAction.REROUTE, may_be_billed=True, given_up=True, route=_FAULT,
        words="no answer in time",
        advice="no answer came within the route's deadline. Raise the deadline if such calls need longer",
    ),
    FaultKind.CONNECTION_LOST: FaultRule(
        Scope.ROUTE, FaultAction.REROUTE, may_be_billed=True, route=_FAULT,
        words="connection lost",
        advice="the connection ended before the answer. Jobs wait or take another route",
    ),
    FaultKind.BAD_ANSWER: FaultRule(
        Scope.ROUTE, FaultAction.REROUTE, may_be_billed=True, ends_when_repeated=True, route=_FAULT, endpoint=_OK,
        words="unreadable answer",
        advice="what came back is no answer. Look at what stands between here and the provider",
    ),
    FaultKind.BAD_OUTPUT: FaultRule(
        Scope.JOB, FaultAction.RETRY_HERE, uses_attempt=True, may_be_billed=True, route=_OK, credential=_OK,
        endpoint=_OK, repeats_here=1, most=2, cap=CAP,
        words="output against the job's rules",
        advice="each answer breaks the job's own schema or rules. Loosen them, or plan a model that keeps to them",
    ),
    # The call itself went well. Where nobody else can be asked now, the refusal is the result.
    FaultKind.REFUSED: FaultRule(
        Scope.JOB, FaultAction.EXCLUDE_ROUTE, may_be_billed=True, route=_OK, credential=_OK, endpoint=_OK,
        words="refused by the model",
        advice="the model would not answer, and the job asks another one then",
    ),
    # Its job is done by another call. Of the first one its route records that it was late; of the second nobody does.
    FaultKind.HEDGE_PRIMARY_LOST: FaultRule(
        Scope.ROUTE, FaultAction.SNOOZE, may_be_billed=True, given_up=True, route=Signal.HEDGED_LATE,
        words="overtaken by a second call",
        advice="the hedged job's second call answered first, and this one was cancelled",
    ),
    FaultKind.HEDGE_SECONDARY_LOST: FaultRule(
        Scope.US, FaultAction.SNOOZE, may_be_billed=True, given_up=True,
        words="not needed after the first call",
        advice="the hedged job's first call answered first, and this one was cancelled",
    ),
    FaultKind.INTERNAL: FaultRule(
        Scope.US, FaultAction.SNOOZE, sent=False, waits=True,
        words="trouble of Holdfast's own",
        advice="Holdfast's own Redis, SQL or limiter was in the way: the job goes on by itself. Or Holdfast broke on "
        "it twice: report that, with the event attempt_broke of the worker's log, and replay it when it is mended",
    ),
    FaultKind.POISON: FaultRule(
        Scope.JOB, FaultAction.BURY, sent=False,
        words="its workers died",
        advice="its worker died three times while it held the job. Before a replay, look at what the job does to one",
    ),
    FaultKind.EXHAUSTED: FaultRule(
        Scope.JOB, FaultAction.BURY, sent=False,
        words="attempts used up",
        advice="its attempts or calls are used up. Its call log tells by what; replay it when that is mended",
    ),
    FaultKind.EXPIRED: FaultRule(
        Scope.JOB, FaultAction.BURY, sent=False,
        words="deadline passed",
        advice="its deadline passed before it could be answered. Replay it, or give such jobs longer",
    ),
}  # fmt: skip


def kind_words(kind: str) -> str:
    """Tell a kind of fault, or how else a job ended, for people. What this table does not know is told by its code.

    >>> kind_words("too_long"), kind_words("content_filter")
    ('request too long', 'content filter')
    """
    return FAULT_RULES[FaultKind(kind)].words if kind in set(FaultKind) else kind.replace("_", " ")


def was_sent(outcome: "Reply | Fault") -> bool:
    """Tell whether any byte of a call's request left."""
    return not isinstance(outcome, Fault) or outcome.ambiguous or FAULT_RULES[outcome.kind].sent


def may_be_billed(outcome: "Reply | Fault") -> bool:
    """Tell whether the provider may have run a call: such calls count against the job's cap."""
    return not isinstance(outcome, Fault) or outcome.ambiguous or FAULT_RULES[outcome.kind].may_be_billed


def is_failure(outcome: "Reply | Fault") -> bool:
    """Tell whether a call failed by what is not ours: its job's doing, its route's, or what lies between.

    Many of them, on many jobs, make their route a degraded one: see ``error_burst``.
    """
    return isinstance(outcome, Fault) and FAULT_RULES[outcome.kind].scope is not Scope.US


def outcome_of(fault: Fault | None) -> Outcome:
    """Tell how an attempt's row says that its call ended. None: with a reply that passed every check."""
    if fault is None:
        return Outcome.SUCCEEDED
    rule = FAULT_RULES[fault.kind]
    if rule.scope is Scope.US and not was_sent(fault):
        return Outcome.ABANDONED
    return Outcome.UNKNOWN if fault.ambiguous else Outcome.FAILED

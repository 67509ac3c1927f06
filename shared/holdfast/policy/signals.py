"""What the outcome of a call says about the things it went through: route, credential, endpoint."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class ScopeKind(StrEnum):
    """The three breakers that guard a target (a route taken with one credential)."""

    ROUTE = "route"
    CREDENTIAL = "credential"
    ENDPOINT = "endpoint"


class Signal(StrEnum):
    """What one call tells one breaker.

    ``SLOW`` is said while the call still runs, once per permit; its outcome is then not said again. ``HEDGED_LATE``: a
    hedged job's second call answered before this first one, which took long, but not so long that it was slow. On
    probation that counts as slow: what hedging hides would else close a breaker again and again. On a route that is
    well it counts nothing, for some healthy calls are late.
    ``FATAL`` opens the breaker at once. ``CLIENT_ERROR``: the job was called wrong; said of many, it speaks of the
    route. ``NAMED_CLIENT_ERROR``: the same, where the answer names the part of the request that is wrong.
    ``SUSPECT``: a refusal that may be the job's or the route's; of two different jobs between which nobody
    succeeded, it is the route's.
    ``AUTH_REJECTED``: the endpoint answers, and refused a login; said of several credentials at once, its logins are
    out.
    ``NONE`` counts neither way, but it ends a probe: the place is free again.
    """

    OK = "ok"
    FAULT = "fault"
    SLOW = "slow"
    HEDGED_LATE = "hedged_late"
    FATAL = "fatal"
    CLIENT_ERROR = "client_error"
    NAMED_CLIENT_ERROR = "named_client_error"
    SUSPECT = "suspect"
    AUTH_REJECTED = "auth_rejected"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Observation:
    """One signal. ``at`` in seconds on the breaker's clock; ``epoch`` is that of the permit the call had.

    ``reporter`` names the host that saw it, where its own link may be what is broken; "": the provider itself said so,
    or there is no other host that could know better. ``credential`` is the one that the provider let in, or refused
    with ``AUTH_REJECTED``; "": it said neither. ``sent``: when the call was sent; None: at ``at``. ``job``: whose call
    it was; "": nobody's in particular. ``replied``: when the latest call that brought a reply was sent there, as far
    as the process knows that says this; None: it knows of none.
    """

    at: float
    epoch: int
    signal: Signal
    reporter: str = ""
    credential: str = ""
    sent: float | None = None
    job: str = ""
    replied: float | None = None


def scope_names(provider: str, model: str, credential: str) -> Mapping[ScopeKind, str]:
    """Name the breakers of a target: keys of ``Permit.epochs`` and of the hashes in Redis.

    >>> list(scope_names("anthropic", "claude-opus-4-8", "main").values())
    ['route:anthropic/claude-opus-4-8', 'credential:anthropic/main', 'endpoint:anthropic']
    """
    return {
        ScopeKind.ROUTE: f"{ScopeKind.ROUTE}:{provider}/{model}",
        ScopeKind.CREDENTIAL: f"{ScopeKind.CREDENTIAL}:{provider}/{credential}",
        ScopeKind.ENDPOINT: f"{ScopeKind.ENDPOINT}:{provider}",
    }


def scope_kind(name: str) -> ScopeKind:
    """Tell what kind of thing a breaker's name names. Raises ValueError.

    >>> scope_kind("endpoint:anthropic")
    <ScopeKind.ENDPOINT: 'endpoint'>
    """
    return ScopeKind(name.partition(":")[0])

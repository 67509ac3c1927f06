"""What is wrong between this installation and a provider: one verdict from what its checks found. Pure.

Only our own calls prove that a provider works or does not; its status page is a claim, and decides nothing but what
they leave open: whether a refused key is the key's fault, and whether a working API has a broken web front end.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from holdfast.diagnose.status_page import StatusPage
from holdfast.model.fault import Fault
from holdfast.policy.fault_rules import FAULT_RULES, FaultRule, Scope
from holdfast.policy.signals import Signal


class Verdict(StrEnum):
    """Where the trouble lies."""

    LOCAL_NETWORK = "local_network"
    LOCAL_CONFIGURATION = "local_configuration"
    PROVIDER_AUTHENTICATION = "provider_authentication"
    PROVIDER_INFERENCE = "provider_inference"
    ONE_MODEL = "one_model"
    RATE_LIMITED = "rate_limited"
    BUDGET = "budget"
    WEB_ONLY = "web_only"
    HEALTHY = "healthy"

    @property
    def weight(self) -> int:
        """How much it keeps from work; of several providers the heaviest is told first."""
        return len(Verdict) - list(Verdict).index(self)


ADVICE: Mapping[Verdict, str] = {
    Verdict.LOCAL_NETWORK: "look at this host's network, its name server and its proxy; jobs wait safely",
    Verdict.LOCAL_CONFIGURATION: "correct the key, the model's name or the address; no restart is needed for a key",
    Verdict.PROVIDER_AUTHENTICATION: "wait, and change no key: those that worked will work again; jobs wait safely",
    Verdict.PROVIDER_INFERENCE: "wait: jobs are kept, and go elsewhere where their plan has another route",
    Verdict.ONE_MODEL: "wait, or give the plan another model; the provider's other models work",
    Verdict.RATE_LIMITED: "nothing to do: calls are paced to the limit; raise it at the provider to go faster",
    Verdict.BUDGET: "add credit or raise the limit at the provider; jobs wait safely",
    Verdict.WEB_ONLY: "nothing to do: the API works, only the provider's web pages do not",
    Verdict.HEALTHY: "nothing to do",
}


class Cause(StrEnum):
    """What one call tells of its provider, by the columns of its fault's rule."""

    ANSWERS = "answers"
    SICK = "sick"
    LOGIN = "login"
    ACCESS = "access"
    MONEY = "money"
    RATE = "rate"
    MODEL = "model"
    OURS = "ours"


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """A call of a few tokens to one model. ``fault`` None: it answered."""

    model: str
    credential: str
    fault: Fault | None


@dataclass(frozen=True, slots=True)
class Unreachable:
    """Why no connection stands. ``unknown_name``: the name server answered that there is no such host."""

    why: str
    unknown_name: bool = False


@dataclass(frozen=True, slots=True)
class Findings:
    """What the checks of one provider found.

    ``missing``: by credential, why there is nothing to log in with; ``issuer_fails``: a token issuer is the reason.
    ``logins``: by credential, what came of a cheap call that needs one. ``accepted_lately``: credentials that the
    fleet's calls were answered with minutes ago. ``others_reachable``: whether any other host was; None: none tried.
    """

    provider: str
    credentials: int = 1
    missing: Mapping[str, str] = field(default_factory=dict)
    issuer_fails: bool = False
    unreachable: Unreachable | None = None
    others_reachable: bool | None = None
    logins: Mapping[str, Fault | None] = field(default_factory=dict)
    models: Sequence[ModelCheck] = ()
    page: StatusPage | None = None
    accepted_lately: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One provider's verdict, in a sentence, and what to do."""

    provider: str
    verdict: Verdict
    sentence: str

    @property
    def advice(self) -> str:
        return ADVICE[self.verdict]


def diagnose(found: Findings) -> Diagnosis:
    """Come to a verdict. What hides everything else goes first: no key, no connection, then what calls came to."""
    verdict, why = _without_calls(found) or _by_calls(found)
    return Diagnosis(found.provider, verdict, f"{found.provider}: {why}{_claim(found.page)}")


def cause_of(fault: Fault | None) -> Cause:
    """Tell what a call's end says of the provider.

    >>> from holdfast.model.fault import FaultKind as K
    >>> [cause_of(Fault(kind)).value for kind in (K.SERVER_ERROR, K.AUTH, K.FORBIDDEN, K.SPEND_LIMIT, K.RATE_LIMITED)]
    ['sick', 'login', 'access', 'money', 'rate']
    >>> [cause_of(Fault(kind)).value for kind in (K.MODEL_NOT_FOUND, K.CLOCK_SKEW, K.INVALID_REQUEST, K.TIMED_OUT)]
    ['model', 'ours', 'answers', 'sick']
    """
    if fault is None:
        return Cause.ANSWERS
    rule = FAULT_RULES[fault.kind]
    if rule.pauses_bucket:
        return Cause.RATE
    if rule.is_refusal and rule.scope is not Scope.JOB:
        return _refusal(rule)
    if rule.scope in {Scope.JOB, Scope.US}:
        return (
            Cause.ANSWERS if rule.scope is Scope.JOB and Signal.FAULT not in {rule.route, rule.endpoint} else Cause.OURS
        )
    return Cause.LOGIN if rule.scope is Scope.CREDENTIAL else Cause.SICK


def _refusal(rule: FaultRule) -> Cause:
    """The provider answers, and would not take the call."""
    if rule.scope is Scope.CREDENTIAL:
        return Cause.MONEY
    return Cause.MODEL if rule.scope is Scope.ROUTE else Cause.ACCESS


def _without_calls(found: Findings) -> tuple[Verdict, str] | None:
    """The verdict where nothing can have been called."""
    if found.missing and len(found.missing) >= found.credentials:
        whose = Verdict.PROVIDER_AUTHENTICATION if found.issuer_fails else Verdict.LOCAL_CONFIGURATION
        return whose, f"there is nothing to log in with ({'; '.join(found.missing.values())})"
    if found.unreachable is None:
        return None
    why = f"no connection ({found.unreachable.why})"
    if not found.others_reachable:
        return Verdict.LOCAL_NETWORK, f"{why}, nor to any other host that was tried"
    if found.unreachable.unknown_name:
        return Verdict.LOCAL_CONFIGURATION, f"{why}, while other hosts are found"
    return Verdict.PROVIDER_INFERENCE, f"{why}, while other hosts answer"


def _by_calls(found: Findings) -> tuple[Verdict, str]:
    """The verdict from what calls came to: of models where any were called, else those that only log in."""
    ends = {f"{each.model} ({each.credential})": each.fault for each in found.models} or dict(found.logins)
    failed = {name: fault for name, fault in ends.items() if cause_of(fault) is not Cause.ANSWERS}
    if not failed:
        well = Verdict.WEB_ONLY if found.page and found.page.claims == "web_only" else Verdict.HEALTHY
        what = f"its API answers ({_counted(len(ends), found)})" if ends else "its host is reached; no call was made"
        return well, what
    cause, _ = Counter(cause_of(fault) for fault in failed.values()).most_common(1)[0]
    first = next(fault for fault in failed.values() if cause_of(fault) is cause)
    assert first is not None  # it failed
    told = (
        f"{len(failed)} of {_counted(len(ends), found)} {'fails' if len(failed) == 1 else 'fail'}: {fault_words(first)}"
    )
    return _verdict(found, cause, some_answer=len(failed) < len(ends)), told + _who(failed, ends)


def _verdict(found: Findings, cause: Cause, *, some_answer: bool) -> Verdict:
    if cause is Cause.RATE:
        return Verdict.RATE_LIMITED
    if cause is Cause.MONEY:
        return Verdict.BUDGET
    if some_answer and cause in {Cause.SICK, Cause.MODEL}:
        return Verdict.ONE_MODEL
    if cause is Cause.LOGIN:
        return (
            Verdict.PROVIDER_AUTHENTICATION
            if _is_providers(found, some_answer=some_answer)
            else Verdict.LOCAL_CONFIGURATION
        )
    return Verdict.PROVIDER_INFERENCE if cause is Cause.SICK else Verdict.LOCAL_CONFIGURATION


def _is_providers(found: Findings, *, some_answer: bool) -> bool:
    """Whether refused keys are the provider's doing.

    The same key opens its list of models; or no key is accepted anywhere, and several are refused together, or one was
    accepted minutes ago, or the page tells of trouble.
    """
    called = {each.credential for each in found.models}
    accepted = {name for name, fault in found.logins.items() if fault is None}
    if some_answer or accepted:
        return not some_answer and bool(called & accepted)
    several = len(called | set(found.logins)) > 1
    return several or bool(found.accepted_lately) or bool(found.page and max(found.page.api or 0, found.page.web or 0))


def _counted(calls: int, found: Findings) -> str:
    what = "model" if found.models else "key"
    return f"{calls} {what}{'' if calls == 1 else 's'}"


def fault_words(fault: Fault) -> str:
    """Say what a call came to, in a few words."""
    status = f"HTTP {fault.status}" if fault.status is not None else fault.kind.value.replace("_", " ")
    return (
        f"HTTP {fault.message}" if fault.message.startswith(str(fault.status)) else f"{status} {fault.message}".strip()
    )


def _who(failed: Mapping[str, Fault | None], ends: Mapping[str, Fault | None]) -> str:
    return f" ({', '.join(failed)})" if len(failed) < len(ends) else ""


def _claim(page: StatusPage | None) -> str:
    """What the status page adds to the sentence; nothing where there is none, or none that can be read."""
    if page is None:
        return ""
    if page.claims in {"unknown", "no_provider_incident"}:
        return "; its status page tells of nothing"
    sides = [f"{side} {level.words}" for side, level in (("API", page.api), ("web", page.web)) if level]
    incident = f" ({page.incidents[0]})" if page.incidents else ""
    return f"; its status page says {', '.join(sides)}{incident}"

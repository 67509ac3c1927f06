"""What is wrong between this installation and a provider: one verdict from what its checks found. Pure.

Only our own calls prove that a provider works or does not; its status page is a claim, and decides nothing but what
they leave open: whether a refused key is the key's fault, and whether a working API has a broken web front end.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from holdfast.diagnose.status_page import StatusPage
from holdfast.model.fault import Fault
from holdfast.policy.fault_rules import FAULT_RULES, FaultRule, Scope
from holdfast.policy.signals import Signal


class Verdict(StrEnum):
    """Where the trouble lies, in the order in which troubles are acted on: what can be mended here, then the rest."""

    LOCAL_NETWORK = "local_network"
    LOCAL_CONFIGURATION = "local_configuration"
    BUDGET = "budget"
    PROVIDER_AUTHENTICATION = "provider_authentication"
    PROVIDER_INFERENCE = "provider_inference"
    ONE_MODEL = "one_model"
    RATE_LIMITED = "rate_limited"
    WEB_ONLY = "web_only"
    HEALTHY = "healthy"

    @property
    def weight(self) -> int:
        """The heaviest of several is told first."""
        return len(Verdict) - list(Verdict).index(self)


ADVICE: Mapping[Verdict, str] = {
    Verdict.LOCAL_NETWORK: "look at this host's network, its name server and its proxy; jobs wait safely",
    Verdict.LOCAL_CONFIGURATION: "correct the key, the model's name or the address; "
    "a key in a file or from a command needs no restart",
    Verdict.PROVIDER_AUTHENTICATION: "wait, and change no key: those that worked will work again; jobs wait safely",
    Verdict.PROVIDER_INFERENCE: "wait: jobs are kept, and go elsewhere where their plan has another route",
    Verdict.ONE_MODEL: "wait, or give the plan another model; the provider's other models work",
    Verdict.RATE_LIMITED: "nothing to do: calls are paced to the limit; raise it at the provider to go faster",
    Verdict.BUDGET: "add credit or raise the limit at the provider; jobs wait safely",
    Verdict.WEB_ONLY: "nothing to do: the API works, only the provider's web pages do not",
    Verdict.HEALTHY: "nothing to do",
}
OURS_TO_MEND = frozenset({Verdict.LOCAL_NETWORK, Verdict.LOCAL_CONFIGURATION, Verdict.BUDGET})


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


OF_A_KEY = frozenset({Cause.LOGIN, Cause.ACCESS, Cause.MONEY})  # such a key is of no use, whatever the model


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
    """One provider's verdict, in a sentence, and what to do. ``also``: what is wrong beside it, heaviest first."""

    provider: str
    verdict: Verdict
    sentence: str
    also: tuple[Verdict, ...] = ()

    @property
    def advice(self) -> str:
        """What to do first, and what is to be mended here after it."""
        later = (each for each in self.also if each in OURS_TO_MEND and each is not self.verdict)
        return "; then ".join([ADVICE[self.verdict], *(ADVICE[each] for each in later)])


class ProviderProblem(NamedTuple):
    """One thing that is wrong, and what was found of it."""

    verdict: Verdict
    what: str


def diagnose(found: Findings) -> Diagnosis:
    """Come to a verdict: what is to be acted on first. The sentence names it, and then all else that is wrong."""
    problems = sorted(_problems(found), key=lambda each: -each.verdict.weight)
    first, *others = problems or [_well(found)]
    told = "; also ".join([first.what, *(each.what for each in others), *_spare_keys(found)])
    web = [Verdict.WEB_ONLY] if problems and _is_web_only(found.page) else []  # the page's claim tells of it in words
    also = dict.fromkeys([*(each.verdict for each in others), *web])
    return Diagnosis(found.provider, first.verdict, f"{found.provider}: {told}{_claim(found.page)}", tuple(also))


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


def _problems(found: Findings) -> Iterator[ProviderProblem]:
    """List what is wrong. Without a connection no call tells anything; without a key none was made."""
    if found.missing and len(found.missing) >= found.credentials:
        whose = Verdict.PROVIDER_AUTHENTICATION if found.issuer_fails else Verdict.LOCAL_CONFIGURATION
        yield ProviderProblem(whose, f"there is nothing to log in with ({'; '.join(found.missing.values())})")
    if found.unreachable is not None:
        yield _unreachable(found, found.unreachable)
    else:
        yield from _failed_calls(found)


def _unreachable(found: Findings, obstacle: Unreachable) -> ProviderProblem:
    why = f"no connection ({obstacle.why})"
    if not found.others_reachable:
        return ProviderProblem(Verdict.LOCAL_NETWORK, f"{why}, nor to any other host that was tried")
    if obstacle.unknown_name:
        return ProviderProblem(Verdict.LOCAL_CONFIGURATION, f"{why}, while other hosts are found")
    return ProviderProblem(Verdict.PROVIDER_INFERENCE, f"{why}, while other hosts answer")


def _failed_calls(found: Findings) -> Iterator[ProviderProblem]:
    """Group failed calls by what they tell, the most frequent first."""
    ends, by_cause = _ends(found), dict[Cause, dict[str, Fault]]()
    for name, fault in ends.items():
        if fault is not None and (cause := cause_of(fault)) is not Cause.ANSWERS:
            by_cause.setdefault(cause, {})[name] = fault
    some_answer = sum(map(len, by_cause.values())) < len(ends)
    for cause, failed in sorted(by_cause.items(), key=lambda each: -len(each[1])):
        verdict = _verdict(found, cause, some_answer=some_answer, is_all=len(failed) == len(ends))
        yield ProviderProblem(verdict, _failure_words(found, failed))


def _ends(found: Findings) -> Mapping[str, Fault | None]:
    """What calls came to: those of models where any were called, else those that only log in."""
    return {f"{each.model} ({each.credential})": each.fault for each in found.models} or found.logins


def _well(found: Findings) -> ProviderProblem:
    verdict = Verdict.WEB_ONLY if _is_web_only(found.page) else Verdict.HEALTHY
    calls = len(_ends(found))
    what = f"its API answers ({_counted(calls, found)})" if calls else "its host is reached; no call was made"
    return ProviderProblem(verdict, what)


def _failure_words(found: Findings, failed: Mapping[str, Fault]) -> str:
    calls, first = len(_ends(found)), next(iter(failed.values()))
    told = f"{len(failed)} of {_counted(calls, found)} {'fails' if len(failed) == 1 else 'fail'}: {fault_words(first)}"
    return told + (f" ({', '.join(failed)})" if len(failed) < calls else "")


def _spare_keys(found: Findings) -> Iterator[str]:
    """Name keys that are of no use beside one that was called with."""
    if len(found.missing) < found.credentials:
        for name, why in found.missing.items():
            yield f"there is nothing to log in with as {name} ({why})"
    called = {each.credential for each in found.models}
    for name, fault in found.logins.items() if called else ():
        if fault is not None and name not in called and cause_of(fault) in OF_A_KEY:
            yield f"key {name} is refused: {fault_words(fault)}"


def _verdict(found: Findings, cause: Cause, *, some_answer: bool, is_all: bool) -> Verdict:
    """Judge calls that failed alike. ``some_answer``: other calls did not fail; ``is_all``: every call failed so."""
    match cause:
        case Cause.RATE:
            return Verdict.RATE_LIMITED
        case Cause.MONEY:
            return Verdict.BUDGET
        case Cause.SICK:
            return Verdict.ONE_MODEL if some_answer else Verdict.PROVIDER_INFERENCE
        case Cause.MODEL if not is_all:
            return Verdict.ONE_MODEL
        case Cause.LOGIN if _is_providers(found, some_answer=some_answer):
            return Verdict.PROVIDER_AUTHENTICATION
        case _:
            return Verdict.LOCAL_CONFIGURATION


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
    status = f"HTTP {fault.status}" if fault.status is not None else FAULT_RULES[fault.kind].words
    return (
        f"HTTP {fault.message}" if fault.message.startswith(str(fault.status)) else f"{status} {fault.message}".strip()
    )


def _is_web_only(page: StatusPage | None) -> bool:
    return page is not None and page.claims == "web_only"


def _claim(page: StatusPage | None) -> str:
    """What the status page adds to the sentence; nothing where there is none, or none that can be read."""
    if page is None:
        return ""
    if page.claims in {"unknown", "no_provider_incident"}:
        return "; its status page tells of nothing"
    sides = [f"{side} {level.words}" for side, level in (("API", page.api), ("web", page.web)) if level]
    incident = f" ({page.incidents[0]})" if page.incidents else ""
    return f"; its status page says {', '.join(sides)}{incident}"

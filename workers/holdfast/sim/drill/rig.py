"""Which functions decide: the real policy, unless a test puts another in the place of one to see it caught."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.model.fault import Fault
from holdfast.model.reply import Reply
from holdfast.model.step import Step
from holdfast.policy import breaker, bucket, report, step
from holdfast.policy.backoff import Uniform
from holdfast.policy.rules import RULES, Rules
from holdfast.policy.verdict import ScopeKind, Verdict, scope_kind


def default_rules(scope: str) -> Rules:
    return RULES[scope_kind(scope)]


@dataclass(frozen=True, slots=True)
class Rig:
    """``uniform`` None draws from the seed."""

    admit: Callable[..., tuple[breaker.Breaker, breaker.Permit | breaker.Refusal]] = breaker.admit
    hear: Callable[..., breaker.Breaker] = breaker.hear
    take: Callable[..., Any] = bucket.take
    next_step: Callable[..., Step] = step.next_step
    verdicts: Callable[..., Mapping[ScopeKind, Verdict]] = report.verdicts
    pause: Callable[[Fault, Uniform], float | None] = report.pause
    rules: Callable[[str], Rules] = default_rules
    uniform: Uniform | None = None


REAL = Rig()
Outcome = Reply | Fault

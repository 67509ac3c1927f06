"""What a dead letter tells: how each route answered its job, not only the last one."""

from collections.abc import Iterable
from dataclasses import replace

from holdfast.model.fault import FaultKind
from holdfast.model.job import DeathReason
from holdfast.model.records import AttemptRecord
from holdfast.model.sentences import end_sentence
from holdfast.policy.fault_rules import kind_words

BEFORE = ". Before that: "  # between what ended a job and what routes said earlier
TOLD = 300  # characters of what one route said


def with_story(reason: DeathReason, generation: int, attempts: Iterable[AttemptRecord]) -> DeathReason:
    """Add what each route said before the call that ended the job: its last words, and how often it said them.

    Calls that left nothing to tell, or that still run, are left out; so is a reason that is no call's.
    """
    earlier = [each for each in attempts if each.generation == generation and each.fault is not None]
    if not earlier or reason.kind is FaultKind.EXPIRED:
        return reason
    by_route: dict[str, list[AttemptRecord]] = {}
    for each in sorted(earlier, key=lambda attempt: attempt.number):
        by_route.setdefault(each.route, []).append(each)
    said = "; ".join(_said(route, calls) for route, calls in by_route.items())
    return replace(reason, message=f"{end_sentence(reason.message)}{BEFORE}{said}")


def _said(route: str, calls: list[AttemptRecord]) -> str:
    last, times = calls[-1], f", the last of {len(calls)} calls" if len(calls) > 1 else ""
    status = f" (HTTP {last.status})" if last.status else ""
    words = f": {last.message[:TOLD]}" if last.message else ""
    return f"{route}: {kind_words(last.fault or '')}{status}{times}{words}"

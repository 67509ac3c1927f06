"""What happens to a job after a call. The rows stand in ``fault_rules.py``; this file reads them.

Whose fault a failure is, ``comparison`` tells. One of a route, a credential or an endpoint never buries a job before
its deadline. What buries one: a request that every route of its plan refused, or that is wrong everywhere; attempts
used up by its own doing, which is its schema's, or whatever fails where other jobs succeed; calls used up that may have
been billed (on a route that is well; on one that is shut or degraded, they are the route's fault); the same useless
answer twice. A job that is spared so waits long, for each of its calls may cost money: of useless answers already after
the second one, while nobody is answered. A wait is cut at the job's deadline, so that it ends there as expired, not
later and not sooner.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from holdfast.model.exception_fault import is_exception
from holdfast.model.fault import Evidence, Fault, FaultKind
from holdfast.model.job import MAX_ATTEMPTS, MAX_CALLS, Claimed, DeathReason
from holdfast.model.reply import Finish, Reply
from holdfast.model.request import OnRefusal, Strictness
from holdfast.model.route import Plan, Route
from holdfast.model.step import Bury, Complete, Reroute, Retry, Snooze, Step
from holdfast.policy.backoff import CAP, WAITED_FOR_LONGEST, Uniform, retry_delay, widths
from holdfast.policy.comparison import NOTHING_KNOWN, Blame, Comparison, blame, is_believed_wrong
from holdfast.policy.error_burst import SECONDS as BURST_SECONDS
from holdfast.policy.exceptions import after_exception
from holdfast.policy.fault_rules import FAULT_RULES, GUARDED_CAP, FaultAction, FaultRule, Scope, may_be_billed
from holdfast.policy.health import Health
from holdfast.policy.outcome_signals import asked_wait
from holdfast.policy.signals import ScopeKind, scope_names

AVOID_LEAST = 0.1  # seconds; a draw of zero would send the job straight back
HERE_AGAIN = (1.0, 2.0)  # seconds between two tries on the same route
REFUSALS = 2  # of a job alone on one route: then it is final there
SHUT_CAP = 2.0  # seconds; on a route that is shut and has no alternative: the lane holds the job back, and lets it go

Avoid = Mapping[str, float | None]
"""What a job keeps off, each for so many seconds or (None) for ever: routes by name, credentials by scope."""


@dataclass(frozen=True, slots=True)
class _Case:
    """One fault of one job, with what the decision needs. ``avoid`` is what the job brought, in seconds from now."""

    job: Claimed
    route: Route
    plan: Plan
    fault: Fault
    health: Health
    now: float
    uniform: Uniform
    comparison: Comparison
    blame: Blame
    avoid: Avoid

    @property
    def rule(self) -> FaultRule:
        return FAULT_RULES[self.fault.kind]

    @property
    def is_own_doing(self) -> bool:
        """Whether the failure counts against the job's attempts."""
        return self.blame is Blame.JOB or (self.rule.uses_attempt and self.rule.scope is Scope.JOB)

    @property
    def uses_attempt(self) -> bool:
        return self.blame is Blame.JOB or self.rule.uses_attempt

    @property
    def repeats_here(self) -> int:
        """Repeats on the same route: one more of an answer that its job has repaired, for it is told what was wrong."""
        return self.rule.repeats_here + self._repairs

    @property
    def most(self) -> int | None:
        """Repeats in all before the job is buried; None: as many as its attempts and calls allow."""
        return None if self.rule.most is None else self.rule.most + self._repairs

    @property
    def _repairs(self) -> bool:
        return self.fault.kind is FaultKind.BAD_OUTPUT and bool(self.job.request.repair)

    @property
    def is_the_same_again(self) -> bool:
        """Whether the job's call before this one ended with the same kind of fault."""
        return self.job.fault is self.fault.kind


def next_step(  # noqa: PLR0917  # the whole of what a decision may depend on, in one line of sight
    job: Claimed,
    route: Route,
    plan: Plan,
    outcome: Reply | Fault,
    health: Health,
    now: float,
    uniform: Uniform,
    *,
    comparison: Comparison = NOTHING_KNOWN,
) -> Step:
    """Decide what becomes of a job after a call.

    Args:
        job: As it was before this call.
        route: The one that was called.
        plan: The job's: where else it could go.
        outcome: What came back, held against the job's own schema.
        health: How the routes of the plan are now.
        now: Seconds since the epoch on SQL's clock.
        uniform: ``uniform(low, high)``; ``random.uniform`` in production, a stub in tests.
        comparison: What the calls of other jobs came to on the same route and credential.
    """
    if isinstance(outcome, Reply):
        return _second_opinion(job, route, plan, outcome, health, now) or Complete()
    avoid = still_avoided(job.need.avoid, now)
    if is_exception(outcome):
        return after_exception(job, route, plan, outcome, avoid, uniform)
    whose = blame(outcome, route.name, comparison, health)
    case = _Case(job, route, plan, outcome, health, now, uniform, comparison, whose, avoid)
    return _bury(case) or _go_on(case)


def asks_another(job: Claimed, outcome: Reply | Fault) -> bool:
    """Whether the model refused a job that wants another model's opinion then, and still has a call for it."""
    if not isinstance(outcome, Reply) or outcome.finish is not Finish.REFUSED:
        return False
    wants = job.request.on_refusal is OnRefusal.REROUTE and job.request.strictness is not Strictness.NEVER
    return wants and job.calls + 1 < MAX_CALLS


def _second_opinion(job: Claimed, route: Route, plan: Plan, reply: Reply, health: Health, now: float) -> Step | None:  # noqa: PLR0917  # as next_step
    """Where another route can take a refused job now, it goes there; to wait for one could cost it this answer."""
    if not asks_another(job, reply):
        return None
    avoid = {**still_avoided(job.need.avoid, now), route.name: None}
    free = any(other.name not in avoid and other.name not in health.open_routes for other in plan.routes)
    return Reroute(avoid, uses_attempt=False) if free else None


def _bury(case: _Case) -> Bury | None:
    job, fault, rule = case.job, case.fault, case.rule
    wrong_everywhere = fault.wrong_everywhere and rule.is_refusal and case.blame is not Blame.ROUTE
    if rule.action is FaultAction.BURY or wrong_everywhere:
        return Bury(DeathReason(fault.kind, fault.message, fault.status, fault.code))
    if job.expires_at is not None and case.now >= job.expires_at:
        return _died(case, FaultKind.EXPIRED, "its deadline passed")
    if case.most is not None and case.is_the_same_again and job.attempts >= _repeats(case, case.most):
        return _died(case, fault.kind, f"{job.attempts + 1} attempts ended so")
    if rule.ends_when_repeated and case.is_the_same_again and _is_nobody_else_s(case):
        return _died(case, fault.kind, "two calls that may have been billed ended so")
    if _is_used_up(case) and case.route.name not in case.health.open_routes | case.health.degraded:
        return _died(case, FaultKind.EXHAUSTED, f"{_budget(case)} are used up")
    return None


def _repeats(case: _Case, most: int) -> int:
    """Repeats of a job before it is buried. Those that would be elsewhere are none where there is no other route."""
    return case.repeats_here if _is_last_route(case) else most


def _is_used_up(case: _Case) -> bool:
    """Whether this was the last attempt, or the last call that may be billed, that the job is allowed."""
    return _has_no_attempt_left(case) or (may_be_billed(case.fault) and case.job.calls + 1 >= MAX_CALLS)


def _is_paid_twice(case: _Case) -> bool:
    """Whether nothing came of two calls of the job that may have been billed, and nobody was answered meanwhile."""
    return case.rule.ends_when_repeated and case.job.calls > 0 and not case.comparison.replied_since


def _has_no_attempt_left(case: _Case) -> bool:
    return case.is_own_doing and case.job.attempts + 1 >= MAX_ATTEMPTS


def _budget(case: _Case) -> str:
    """What is used up, and why it counted."""
    if not _has_no_attempt_left(case):
        return f"{MAX_CALLS} calls that may have been billed"
    others = ", while other jobs succeeded where it failed," if case.blame is Blame.JOB else ""
    return f"{MAX_ATTEMPTS} attempts{others}"


def elsewhere(plan: Plan, route: Route, health: Health, avoid: Avoid) -> bool:
    """Whether another route of the plan could take the job now. ``avoid``: what it still has to avoid."""
    shut = health.open_routes | avoid.keys() | {route.name}
    return any(other.name not in shut for other in plan.routes)


def still_avoided(avoid: Avoid, now: float) -> Avoid:
    """What a job still has to avoid, from dates to seconds from now."""
    return {
        name: None if until is None else until - now for name, until in avoid.items() if until is None or until > now
    }


def _go_on(case: _Case) -> Step:
    match case.rule.action:
        case FaultAction.SNOOZE:
            return Snooze(_clamped(case, _delay(case)), case.avoid)
        case FaultAction.EXCLUDE_ROUTE:
            return _refused(case)
        case FaultAction.RETRY_HERE if case.job.attempts < case.repeats_here:
            return _here_again(case, case.uses_attempt)
        case FaultAction.REROUTE if case.rule.is_refusal and _is_final(case):
            return _without_key(case, for_ever=True) or _exclude_route(case)
        case _:
            return _elsewhere(case)


def _is_final(case: _Case) -> bool:
    """Whether a refusal that may be anybody's is known to be the job's, on this route."""
    return case.blame is Blame.JOB and case.comparison.others_succeed and case.job.attempts + 1 >= REFUSALS


def _is_nobody_else_s(case: _Case) -> bool:
    """Whether no other job failed there of late, though others were answered or nobody called: no outage begins so."""
    seen = case.comparison
    return case.blame is not Blame.ROUTE and seen.others_lately == 0 and not seen.is_too_early


def _refused(case: _Case) -> Step:
    """The request is not taken here. Whether that is the request's own fault, others may have to tell first."""
    in_doubt = case.fault.kind is FaultKind.INVALID_REQUEST
    if in_doubt and case.blame is Blame.ROUTE:
        return _elsewhere(case)
    if not _is_last_route(case):
        return _exclude_route(case)
    if (ceiling := _lower_ceiling(case)) is not None:
        return replace(_here_again(case, uses_attempt=True), output_ceiling=ceiling)
    told_by_status = in_doubt and case.fault.evidence is Evidence.STATUS
    if told_by_status and _is_in_doubt(case) and not case.is_the_same_again:
        return _here_again(case, uses_attempt=False)
    if told_by_status and (wait := _wait_for_others(case)) is not None:
        delay = _clamped(case, case.uniform(wait / 2, wait))
        return Retry(delay, uses_attempt=False, avoid=_outlasting(case.avoid, delay))
    return _exclude_route(case)


def _is_in_doubt(case: _Case) -> bool:
    """Whether a request that is called wrong may be one of many: an outage may have begun with it."""
    if case.blame is Blame.UNKNOWN:
        return True
    believed = is_believed_wrong(case.fault, case.route.name, case.health)
    return not (case.fault.names_part or case.comparison.others_succeed or believed)


def _wait_for_others(case: _Case) -> float | None:
    """Seconds, at most, until a burst of client errors would be seen that is too slow to be seen by now.

    Of a request that was called wrong twice, where others are, too, or may be next. None: it is known to be wrong.
    """
    if case.fault.names_part or not _is_in_doubt(case):
        return None
    if case.comparison.others_lately > 0:
        return BURST_SECONDS if case.job.tries <= REFUSALS else None
    waits = case.blame is Blame.UNKNOWN and case.comparison.was_well_before and case.job.tries < REFUSALS
    return GUARDED_CAP if waits else None


def _lower_ceiling(case: _Case) -> int | None:
    """The most output tokens that the route gives, where it said so of a job that may still ask for more. Once."""
    return case.fault.output_ceiling if case.job.output_ceiling is None else None


def _is_last_route(case: _Case) -> bool:
    others = (route.name for route in case.plan.routes if route.name != case.route.name)
    return all(name in case.avoid and case.avoid[name] is None for name in others)


def _here_again(case: _Case, uses_attempt: bool) -> Retry:  # noqa: FBT001  # as the step's own
    delay = _clamped(case, (asked_wait(case.fault) or 0.0) + case.uniform(*HERE_AGAIN))
    return Retry(delay, uses_attempt, _outlasting(case.avoid, delay))


def _exclude_route(case: _Case) -> Step:
    if _is_last_route(case):
        return _died(case, case.fault.kind, "no route of its plan can take it")
    avoid = {**case.avoid, case.route.name: None}
    if _others(case):
        return Reroute(avoid, case.uses_attempt)
    delay = _clamped(case, _delay(case))
    return Retry(delay, case.uses_attempt, _outlasting(avoid, delay))


def _elsewhere(case: _Case) -> Step:
    if (other_key := _without_key(case)) is not None:
        return other_key
    delay = _delay(case)
    if _others(case):
        return Reroute({**case.avoid, case.route.name: max(delay, AVOID_LEAST)}, case.uses_attempt)
    return _retry(case, _clamped(case, delay))


def _retry(case: _Case, delay: float) -> Step:
    avoid = _outlasting(case.avoid, delay)
    if case.rule.snoozes and case.blame is not Blame.JOB:
        return Snooze(delay, avoid)
    return Retry(delay, case.uses_attempt, avoid)


def _others(case: _Case) -> bool:
    return elsewhere(case.plan, case.route, case.health, case.avoid)


def _without_key(case: _Case, *, for_ever: bool = False) -> Reroute | None:
    """The same route at once with another key, where it has one that did not fail this job.

    A few tries, then the key is not the reason.
    """
    if not case.rule.suspects_key or case.route.name in case.health.open_routes:
        return None
    if not case.comparison.credential or case.job.tries >= 2 * len(case.route.credentials):
        return None
    scopes = [_key_scope(case.route, key) for key in case.route.credentials]
    used = _key_scope(case.route, case.comparison.credential)
    if all(scope == used or scope in case.avoid for scope in scopes):
        return None
    return Reroute({**case.avoid, used: None if for_ever else max(_delay(case), AVOID_LEAST)}, case.uses_attempt)


def _key_scope(route: Route, credential: str) -> str:
    return scope_names(route.provider, route.model, credential)[ScopeKind.CREDENTIAL]


def _delay(case: _Case) -> float:
    is_used_up = _is_used_up(case) and case.route.name not in case.health.open_routes
    if is_used_up or _is_paid_twice(case):
        longest = WAITED_FOR_LONGEST if case.job.interactive and not is_used_up else CAP
        return case.uniform(longest / 2, longest)
    left = None if case.job.expires_at is None else case.job.expires_at - case.now
    base, cap = widths(_cap(case), left, interactive=case.job.interactive, alone_for=_alone_for(case))
    return retry_delay(case.job.tries + 1, asked_wait(case.fault), base=base, cap=cap, uniform=case.uniform)


def _cap(case: _Case) -> float:
    """The widest draw. A breaker that is shut paces a route by itself: then a wait is for the jitter alone."""
    is_shut = case.rule.cap == GUARDED_CAP and case.route.name in case.health.failing_routes
    return SHUT_CAP if is_shut and not _others(case) else case.rule.cap


def _alone_for(case: _Case) -> float | None:
    """Seconds for which a job has failed while nobody else called; None: others called, or a breaker has opened."""
    if not case.comparison.is_alone or case.route.name in case.health.failing_routes:
        return None
    return max(0.0, case.now - case.comparison.failing_since) if case.comparison.failing_since else 0.0


def _clamped(case: _Case, delay: float) -> float:
    if case.job.expires_at is None:
        return delay
    return min(delay, case.job.expires_at - case.now)


def _outlasting(avoid: Avoid, delay: float) -> Avoid:
    return {name: seconds for name, seconds in avoid.items() if seconds is None or seconds > delay}


def _died(case: _Case, kind: FaultKind, why: str) -> Bury:
    last = f"{case.route.name}: {FAULT_RULES[case.fault.kind].words}"
    message = f"{why}; {last}" + (f": {case.fault.message}" if case.fault.message else "")
    return Bury(DeathReason(kind, message, case.fault.status, case.fault.code))

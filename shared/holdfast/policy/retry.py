"""What happens to a job after a call. The rows stand in ``fault_rules.py``; this file reads them.

A fault of a route, a credential or an endpoint never buries a job before its deadline. What buries one: a request that
is wrong, attempts used up by the job's own doing, calls used up that may have been billed (on a route that is well; on
one that is shut or degraded, they are the route's fault), or no route left that can take it. A job
that is spared so waits long, for each of its calls may cost money. A wait is cut at the job's deadline, so that it ends
there as expired, not later and not sooner.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from holdfast.model.exception_fault import is_exception
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import MAX_ATTEMPTS, MAX_CALLS, Claimed, DeathReason
from holdfast.model.reply import Finish, Reply
from holdfast.model.request import OnRefusal, Strictness
from holdfast.model.route import Plan, Route
from holdfast.model.step import Bury, Complete, Reroute, Retry, Snooze, Step
from holdfast.policy.backoff import CAP, Uniform, retry_delay, widths
from holdfast.policy.exceptions import after_exception
from holdfast.policy.fault_rules import FAULT_RULES, FaultAction, FaultRule, Scope, may_be_billed
from holdfast.policy.outcome_signals import asked_wait

AVOID_LEAST = 0.1  # seconds; a draw of zero would send the job straight back
HERE_AGAIN = (1.0, 2.0)  # seconds between two tries on the same route

Avoid = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Health:
    """How the routes of a plan are, by name."""

    open_routes: frozenset[str] = field(default_factory=frozenset)
    """Those that admit nothing now, with every credential they have."""
    failing_routes: frozenset[str] = field(default_factory=frozenset)
    """Those whose breaker opened and has not closed since, though a probe may be due: calls there have little hope."""
    degraded: frozenset[str] = field(default_factory=frozenset)
    """Those on probation after an outage, or that lately used up attempts or calls of many jobs: ``error_burst``."""


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
    avoid: Avoid

    @property
    def rule(self) -> FaultRule:
        return FAULT_RULES[self.fault.kind]


def next_step(  # noqa: PLR0917  # the whole of what a decision may depend on, in one line of sight
    job: Claimed,
    route: Route,
    plan: Plan,
    outcome: Reply | Fault,
    health: Health,
    now: float,
    uniform: Uniform,
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
    """
    if isinstance(outcome, Reply):
        return _second_opinion(job, route, plan, outcome, health, now) or Complete()
    avoid = still_avoided(job.need.avoid, now)
    if is_exception(outcome):
        return after_exception(job, route, plan, outcome, avoid, uniform)
    case = _Case(job, route, plan, outcome, health, now, uniform, avoid)
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
    if rule.action is FaultAction.BURY and not _spared(case):
        return Bury(DeathReason(fault.kind, fault.message, fault.status, fault.code))
    if job.expires_at is not None and case.now >= job.expires_at:
        return _died(case, FaultKind.EXPIRED, "its deadline passed")
    if rule.most is not None and job.attempts >= rule.most:
        return _died(case, fault.kind, f"{job.attempts + 1} attempts ended so")
    if _worn_out(case) and case.route.name not in case.health.open_routes | case.health.degraded:
        what = f"{MAX_CALLS} calls that may have been billed" if may_be_billed(fault) else f"{MAX_ATTEMPTS} attempts"
        return _died(case, FaultKind.EXHAUSTED, f"{what} are used up")
    return None


def _worn_out(case: _Case) -> bool:
    """Whether this was the last attempt, or the last call that may be billed, that the job is allowed."""
    job, fault = case.job, case.fault
    attempts = case.rule.uses_attempt and case.rule.scope is Scope.JOB and job.attempts + 1 >= MAX_ATTEMPTS
    return attempts or (may_be_billed(fault) and job.calls + 1 >= MAX_CALLS)


def elsewhere(plan: Plan, route: Route, health: Health, avoid: Avoid) -> bool:
    """Whether another route of the plan could take the job now. ``avoid``: what it still has to avoid."""
    shut = health.open_routes | avoid.keys() | {route.name}
    return any(other.name not in shut for other in plan.routes)


def still_avoided(avoid: Avoid, now: float) -> Avoid:
    """What a job still has to avoid, from dates to seconds from now."""
    return {
        name: None if until is None else until - now for name, until in avoid.items() if until is None or until > now
    }


def _spared(case: _Case) -> bool:
    """Whether a request that was called wrong may be right: others may find it so, or an error burst runs."""
    wrong = case.fault.kind is FaultKind.INVALID_REQUEST
    return wrong and (case.fault.is_doubtful or case.route.name in case.health.open_routes)


def _go_on(case: _Case) -> Step:
    match case.rule.action:
        case FaultAction.SNOOZE:
            return Snooze(_clamped(case, _delay(case)), case.avoid)
        case FaultAction.EXCLUDE_ROUTE:
            return _exclude_route(case)
        case FaultAction.BURY if case.fault.is_doubtful:
            return _exclude_route(case)
        case FaultAction.RETRY_HERE if case.job.attempts < case.rule.repeats_here:
            return _retry(case, _clamped(case, (asked_wait(case.fault) or 0.0) + case.uniform(*HERE_AGAIN)))
        case _:
            return _elsewhere(case)


def _exclude_route(case: _Case) -> Step:
    avoid = {**case.avoid, case.route.name: None}
    if all(other.name in avoid and avoid[other.name] is None for other in case.plan.routes):
        return _died(case, case.fault.kind, "no route of its plan can take it")
    if _others(case):
        return Reroute(avoid, case.rule.uses_attempt)
    delay = _clamped(case, _delay(case))
    return Retry(delay, case.rule.uses_attempt, _outlasting(avoid, delay))


def _elsewhere(case: _Case) -> Step:
    if _other_credential(case):
        return Reroute(case.avoid, case.rule.uses_attempt)
    delay = _delay(case)
    if _others(case):
        return Reroute({**case.avoid, case.route.name: max(delay, AVOID_LEAST)}, case.rule.uses_attempt)
    return _retry(case, _clamped(case, delay))


def _retry(case: _Case, delay: float) -> Step:
    avoid = _outlasting(case.avoid, delay)
    if case.rule.snoozes:
        return Snooze(delay, avoid)
    return Retry(delay, case.rule.uses_attempt, avoid)


def _others(case: _Case) -> bool:
    return elsewhere(case.plan, case.route, case.health, case.avoid)


def _other_credential(case: _Case) -> bool:
    """Whether the same route may be tried at once with another key. A few tries, then the key is not the reason."""
    keys = len(case.route.credentials)
    return (
        case.rule.suspects_key
        and keys > 1
        and case.job.tries < 2 * keys
        and case.route.name not in case.health.open_routes
    )


def _delay(case: _Case) -> float:
    if _worn_out(case) and case.route.name not in case.health.open_routes:
        return case.uniform(CAP / 2, CAP)
    left = None if case.job.expires_at is None else case.job.expires_at - case.now
    base, cap = widths(case.rule.cap, left, interactive=case.job.interactive)
    return retry_delay(case.job.tries + 1, asked_wait(case.fault), base=base, cap=cap, uniform=case.uniform)


def _clamped(case: _Case, delay: float) -> float:
    if case.job.expires_at is None:
        return delay
    return min(delay, case.job.expires_at - case.now)


def _outlasting(avoid: Avoid, delay: float) -> Avoid:
    return {name: seconds for name, seconds in avoid.items() if seconds is None or seconds > delay}


def _died(case: _Case, kind: FaultKind, why: str) -> Bury:
    last = f"{case.route.name} said {case.fault.kind}"
    message = f"{why}; {last}" + (f": {case.fault.message}" if case.fault.message else "")
    return Bury(DeathReason(kind, message, case.fault.status, case.fault.code))

"""Fourteen bugs, each put in the place of one function of the real policy, and the outage in which it is to be seen.

``sees`` is a part of the sentence that the audit says. The same scenario and seed are clean with the real policy.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from holdfast.lab.drill.result import SeedReport
from holdfast.lab.drill.scenario import Scenario
from holdfast.lab.simulation.policy_hooks import REAL, PolicyHooks
from holdfast.lab.simulation.run import run_virtual
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import DeathReason, State
from holdfast.model.step import Bury, Reroute, Retry, Snooze
from holdfast.policy import breaker, outcome_signals, rate_limit, retry, transition
from holdfast.policy.breaker import Admission
from holdfast.policy.breaker_state import HalfOpen
from holdfast.policy.fault_rules import may_be_billed
from holdfast.policy.signals import ScopeKind, Signal
from lab.simulation.scenes import scenario

SEED = 1
DOWN = [(60, [(1.0, "e500", 0.2)]), (600, [])]


@dataclass(frozen=True)
class Bug:
    name: str
    sees: str
    hooks: PolicyHooks
    scenario: Scenario

    def run(self) -> SeedReport:
        return run_virtual(self.scenario, SEED, hooks=self.hooks)

    def without(self) -> SeedReport:
        """The same outage and seed with the real policy."""
        return run_virtual(self.scenario, SEED)


def any_fence(call):
    """A write is taken whatever its fence, even from a worker whose jobs were taken over."""
    return call.job.state not in {State.QUEUED, State.DELAYED}


def written_anyway(job, move, now):
    """The end of a call is written whatever state its job is in."""
    return transition.finished(job._replace(state=State.RUNNING), move, now)


def probes_for_all(state, now, rules):
    if isinstance(state.state, HalfOpen):
        return state, Admission(state.epoch, probe=True)
    return breaker.admit(state, now, rules)


def no_jitter(_low, high):
    return high


def refusals_are_faults(outcome, *, below_limit=False, own=False):
    heard = outcome_signals.signals(outcome, below_limit=below_limit, own=own)
    if isinstance(outcome, Fault) and outcome.kind is FaultKind.RATE_LIMITED:
        return {**heard, ScopeKind.ROUTE: Signal.FAULT}
    return heard


def buries_on_401(job, route, plan, outcome, *rest, **more):
    if isinstance(outcome, Fault) and outcome.kind is FaultKind.AUTH:
        return Bury(DeathReason(FaultKind.AUTH, "the key is not valid", 401, None))
    return retry.next_step(job, route, plan, outcome, *rest, **more)


def refunds_twice(level, allowance, reserved, used, now_ms):
    once = rate_limit.settle(level, allowance, reserved, used, now_ms)
    return rate_limit.settle(once, allowance, reserved, used, now_ms)


def no_cap_on_calls(job, route, plan, outcome, *rest, **more):
    if isinstance(outcome, Fault) and may_be_billed(outcome):
        return Retry(rest[-1](0.0, 5.0), uses_attempt=False, avoid={})
    return retry.next_step(job, route, plan, outcome, *rest, **more)


def reroutes_for_ever(job, route, plan, outcome, *rest, **more):
    decided = retry.next_step(job, route, plan, outcome, *rest, **more)
    return replace(decided, avoid={}) if isinstance(decided, Reroute) else decided


def sleeps_for_ever(job, route, plan, outcome, *rest, **more):
    decided = retry.next_step(job, route, plan, outcome, *rest, **more)
    return replace(decided, delay=1e9) if isinstance(decided, Snooze) else decided


def one_refusal_is_fatal(outcome, **more):
    heard = outcome_signals.signals(outcome, **more)
    if isinstance(outcome, Fault) and outcome.kind is FaultKind.MODEL_NOT_FOUND:
        return {**heard, ScopeKind.ROUTE: Signal.FATAL}
    return heard


def compares_with_nobody(job, route, plan, outcome, *rest, **_more):
    return retry.next_step(job, route, plan, outcome, *rest)


def believes_at_once(state, observed, rules, uniform):
    return breaker.record(state, observed, replace(rules, wrong_seconds=60.0), uniform)


def own_clock(now, worker):
    return now + worker.ahead


def pauses(*seconds, length=40.0) -> Sequence[dict]:
    return [{"at": at, "what": "pause", "worker": 0, "seconds": length} for at in seconds]


BUGS = [
    Bug(
        "ignore a fence",
        "I2: a job has more than one terminal record",
        PolicyHooks(holds=any_fence, finished=written_anyway),
        scenario([(0, [])], seconds=200, takes=20.0, upsets=pauses(50, 120), jobs_per_second=2),
    ),
    Bug(
        "two probes",
        "two probes of one breaker were out at once",
        PolicyHooks(admit=probes_for_all),
        scenario(DOWN, seconds=700, single=True),
    ),
    Bug(
        "jitter 0",
        "retries that were decided together came back together",
        PolicyHooks(uniform=no_jitter),
        scenario([(92, [(1.0, "e500", 0.2)]), (150, [])], seconds=200, single=True, jobs_per_second=12, takes=0.5,
                 limit_per_second=200, slots=500, workers=1, upsets=pauses(91, length=10.0)),
    ),
    Bug(
        "429 counted as a fault",
        "a breaker opened though its provider was well",
        PolicyHooks(signals=refusals_are_faults),
        scenario([(0, [])], seconds=30, jobs_per_second=300, takes=8.0, limit_per_second=200, limit_known=False,
                 slots=4_000),
    ),
    Bug(
        "401 fatal",
        "a fault of a route, a credential or an endpoint buried a job",
        PolicyHooks(next_step=buries_on_401),
        scenario([(60, [(0.6, "e401", 0.1)]), (600, [])], seconds=700),
    ),
    Bug(
        "refund twice",
        "I6: a provider refused calls beyond a limit that was known",
        PolicyHooks(refund=refunds_twice),
        scenario([(0, [])], seconds=300, single=True, jobs_per_second=15, takes=0.5, tokens_per_second=10_000),
    ),
    Bug(
        "no call cap",
        "a job had more calls that may have been billed than the cap allows",
        PolicyHooks(next_step=no_cap_on_calls),
        scenario([(0, [])], seconds=600, single=True, breaking=3),
    ),
    Bug(
        "reroute in a loop",
        "a job came back at once to the route that had refused it",
        PolicyHooks(next_step=reroutes_for_ever),
        scenario([(60, [(0.4, "e500", 0.02)]), (600, [])], seconds=700),
    ),
    Bug(
        "park without a wake-up",
        "I1: a job never ended",
        PolicyHooks(next_step=sleeps_for_ever),
        scenario([(60, [(1.0, "e401", 0.2)]), (600, [])], seconds=700, single=True),
    ),
    Bug(
        "ack before the record",
        "a job was called again after its lane was told that it is done",
        PolicyHooks(acks_first=True),
        scenario([(0, [])], seconds=200, upsets=[{"at": 60, "what": "kill_before_record"}]),
    ),
    Bug(
        "client wall clock",
        "a job expired long before its deadline",
        PolicyHooks(clock=own_clock),
        scenario(DOWN, seconds=700, single=True, expires_in=7_200,
                 upsets=[{"at": 10, "what": "skew", "worker": 0, "seconds": 14_400.0}]),
    ),
    Bug(
        "shuts a route for one job's refusal",
        "a breaker opened though its provider was well",
        PolicyHooks(signals=one_refusal_is_fatal),
        scenario([(0, [])], seconds=300, single=True, odd=[{"first": 50, "mode": "e404"}]),
    ),
    Bug(
        "asks the same job again and again",
        "a job was asked again and again where others succeed",
        PolicyHooks(next_step=compares_with_nobody),
        scenario([(0, [])], seconds=300, single=True, odd=[{"first": 50, "every": 100, "mode": "e500"}]),
    ),
    Bug(
        "believes at once that everybody is wrong",
        "a job was buried for what its provider told everybody",
        PolicyHooks(record=believes_at_once),
        scenario([(0, []), (30, [(1.0, "e400", 0.2)]), (1_830, [])], seconds=1_900, single=True, jobs_per_second=1),
    ),
]  # fmt: skip
assert PolicyHooks() == REAL

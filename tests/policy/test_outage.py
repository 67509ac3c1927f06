"""Policy as a whole, in virtual time: a provider that is down for a while costs few calls and little more time."""

import heapq
import random
from dataclasses import dataclass, field

import pytest

from holdfast.model.call_result import Dimension
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import Claimed, Need
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import Request
from holdfast.model.route import Api, Plan, Route
from holdfast.model.step import Complete
from holdfast.policy.breaker import Admission, admit, ramp_limit, record
from holdfast.policy.breaker_rules import RULES
from holdfast.policy.breaker_state import Breaker
from holdfast.policy.health import Health
from holdfast.policy.outcome_signals import signals
from holdfast.policy.rate_limit import Level, Wait, per_minute, take
from holdfast.policy.retry import next_step
from holdfast.policy.signals import Observation, ScopeKind
from policy.provider_limiter import ProviderLimiter

REQUESTS = Dimension.REQUESTS
ROUTE = Route("anthropic", "opus", Api.ANTHROPIC, "opus", ("main",))
REPLY = Reply(text="", finish=Finish.STOP, usage=Usage(), model="opus")
RULES_HERE = RULES[ScopeKind.ROUTE]
POLL = 0.01  # seconds
SETTLING = 0.01  # seconds from an answer to the breaker that hears it


def claimed(tries: int) -> Claimed:
    request, need = Request(turns=()), Need(1, 1)
    return Claimed("0" * 32, "smart.batch", "smart", 1, 1, tries + 1, 0, 0, tries, need, request, None)


@dataclass
class Pool:
    """A thousand jobs, one route limited to 50 a second with a burst of 50; down from second 5 on."""

    down_for: float
    failing_takes: tuple[float, float]
    seed: int
    failed: int = 0
    done: int = 0
    finished_at: float = 0.0
    in_flight: int = 0
    ready: list[int] = field(default_factory=lambda: [0] * 1_000)  # each job by its failed tries
    events: list[tuple] = field(default_factory=list)

    def run(self) -> "Pool":
        self.chance = random.Random(self.seed)
        self.limiter, self.breaker = ProviderLimiter(50, 50), Breaker()
        self.limit = per_minute(3_000)
        self.level, now = Level(self.limit.capacity, 0.0), 0.0
        while self.done < 1_000:
            while self.events and self.events[0][0] <= now:
                self._happened(*heapq.heappop(self.events))
            while self.ready and self._starts(now):
                pass
            now += POLL
        return self

    def _starts(self, now: float) -> bool:
        ramp = ramp_limit(self.breaker)
        if ramp is not None and self.in_flight >= int(ramp):
            return False
        moved, answer = admit(self.breaker, now, RULES_HERE)
        took = take({REQUESTS: self.level}, {REQUESTS: self.limit}, {REQUESTS: 1}, now * 1_000)
        if not isinstance(answer, Admission) or isinstance(took, Wait):
            return False
        self.breaker, self.level = moved, took[REQUESTS]
        self.in_flight += 1
        self._later(now + self.chance.uniform(0.001, 0.005), "arrives", self.ready.pop(), answer.epoch)
        return True

    def _happened(self, at: float, _order: float, what: str, tries: int, epoch: int) -> None:
        match what:
            case "arrives" if 5.0 <= at < 5.0 + self.down_for or not self.limiter.admits(at * 1_000):
                self._later(at + self.chance.uniform(*self.failing_takes) + SETTLING, "fails", tries, epoch)
            case "arrives":
                self._later(at + 0.2 + SETTLING, "succeeds", tries, epoch)
            case "ready":
                self.ready.insert(0, tries)
            case _:
                self._settle(at, Fault(FaultKind.SERVER_ERROR) if what == "fails" else REPLY, tries, epoch)

    def _settle(self, at: float, outcome: Reply | Fault, tries: int, epoch: int) -> None:
        self.in_flight -= 1
        observation = Observation(at, epoch, signals(outcome)[ScopeKind.ROUTE])
        self.breaker = record(self.breaker, observation, RULES_HERE, self.chance.uniform)
        plan = Plan("smart", (ROUTE,))
        step = next_step(claimed(tries), ROUTE, plan, outcome, Health(), at, self.chance.uniform)
        if isinstance(step, Complete):
            self.done, self.finished_at = self.done + 1, at
        else:
            self.failed += 1
            self._later(at + step.delay, "ready", tries + 1, 0)

    def _later(self, at: float, what: str, tries: int, epoch: int) -> None:
        heapq.heappush(self.events, (at, self.chance.random(), what, tries, epoch))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("failing_takes", [(0.002, 0.01), (0.2, 0.2)], ids=["fails at once", "fails after 200 ms"])
def test_fifteen_seconds_of_outage_cost_thirty_calls_and_a_tenth_of_the_time(failing_takes, seed) -> None:
    pool = Pool(15.0, failing_takes, seed).run()
    ideal = (1_000 - 50) / 50 + 0.2 + 15.0
    assert pool.failed <= 30
    assert pool.finished_at <= 1.10 * ideal


def test_an_hour_of_outage_costs_less_than_two_calls_a_minute_and_a_twentieth_of_its_time() -> None:
    pool = Pool(3_600.0, (0.002, 0.01), seed=1).run()
    assert pool.failed <= 90
    assert pool.finished_at <= 1.05 * 3_600 + 19.2 + 5

"""The Lua buckets do what policy/rate_limit.py says, for any sequence of takes, settlements, pauses and waits."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import fakeredis
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.lanes import Connection
from holdfast.lanes.compiled_plan import CompiledPlan
from holdfast.lanes.keys import Keys
from holdfast.lanes.lua import source
from holdfast.model.call_result import Dimension
from holdfast.model.job import Need, Offer
from holdfast.model.route import Limits
from holdfast.policy.rate_limit import Allowance, Level, Wait, per_minute, settle, take
from lanes_twin import LANE, START, FakeConnection, plan, route

from holdfast.lanes import Lanes  # isort: skip
from holdfast.model.ids import new_id  # isort: skip

PER_MINUTE = st.one_of(st.none(), st.floats(0.5, 1e6), st.integers(1, 5_000).map(float))
TOKENS = st.integers(0, 50_000)


@dataclass(frozen=True)
class Take:
    input: int
    output: int


@dataclass(frozen=True)
class Settle:
    """Settle the oldest call in flight: with real usage, or as ``how`` says."""

    how: str
    input: int
    output: int
    pause: float = 0.0


@dataclass(frozen=True)
class Pass:
    seconds: float


STEPS = st.lists(
    st.one_of(
        st.builds(Take, TOKENS, TOKENS),
        st.builds(Take, st.integers(0, 100), st.integers(0, 100)),
        st.builds(Settle, st.sampled_from(["real", "back", "keep", "drop"]), TOKENS, TOKENS),
        st.builds(Settle, st.just("back"), st.just(0), st.just(0), st.floats(0.001, 5)),
        st.builds(Pass, st.one_of(st.floats(0, 0.1), st.floats(0, 30))),
    ),
    max_size=40,
)


@dataclass
class Oracle:
    """The same bucket in Python."""

    allowances: dict[Dimension, Allowance]
    levels: dict[Dimension, Level] = field(default_factory=dict)
    paused_until_ms: float = 0.0

    def take(self, costs: dict[Dimension, float], now_ms: float) -> float:
        """Milliseconds to wait; 0: taken."""
        after = take(self.levels, self.allowances, costs, now_ms, self.paused_until_ms)
        if isinstance(after, Wait):
            return after.ms
        self.levels = dict(after)
        return 0.0

    def settle(
        self, reserved: dict[Dimension, float], used: dict[Dimension, float], pause: float, now_ms: float
    ) -> None:
        for each, level in self.levels.items():
            self.levels[each] = settle(level, self.allowances[each], reserved[each], used[each], now_ms)
        if pause > 0:
            self.paused_until_ms = max(self.paused_until_ms, now_ms + pause * 1000)


class Scripts:
    """The scripts themselves, with a clock of ours and no gate between."""

    def __init__(self, connection: Connection, limits: Limits) -> None:
        self.keys, self.redis = connection.keys, connection.sync()
        self.compiled = CompiledPlan(plan(route(limits=limits)), self.keys)
        self.lanes, self.fetches = Lanes(connection), 0
        self.redis.set(self.keys.epoch, "fresh:1")

    def take(self, cost: Take, now: float) -> tuple[str | None, float]:
        """Permit, or None and the seconds to wait."""
        keys = self.keys
        self.lanes.offer([Offer(new_id(), LANE, Need(cost.input, cost.output))])
        self.fetches += 1
        names = [
            keys.epoch, keys.lane(LANE), keys.messages(LANE), keys.need(LANE), keys.acks("w", LANE), keys.permits("w"),
            keys.heartbeats, keys.paused, keys.index, keys.refill(LANE), *self.compiled.keys,
        ]  # fmt: skip
        arguments = [repr(now), LANE, "w", 1, 0, f"w/{self.fetches}", 0, "", "", 0.0, *self.compiled.arguments]
        raw = self.redis.register_script(source("fetch"))(names, arguments)
        if raw[6]:
            return f"w/{self.fetches}:1", 0.0
        self.redis.delete(keys.lane(LANE))
        return None, float(raw[1])

    def settle(self, permit: str, step: Settle, now: float) -> None:
        arguments = [
            repr(now),
            "w",
            1,
            permit,
            "anthropic/opus",
            step.how,
            step.input,
            step.output,
            repr(step.pause),
            0,
            0,
            0,
            0,
        ]
        self.redis.register_script(source("settle"))([self.keys.root, self.keys.permits("w")], arguments)

    def levels(self) -> dict[Dimension, Level]:
        hash_ = self.redis.hgetall(self.keys.bucket("anthropic/main:opus"))
        return {
            each: Level(float(hash_[f"{each}.level"]), float(hash_[f"{each}.at"]))
            for each in Dimension
            if f"{each}.level" in hash_
        }


def run(connection: Connection, limits: Limits, steps: Sequence[Take | Settle | Pass]) -> None:
    """Do the same to both, and compare after every step."""
    named = {
        Dimension.REQUESTS: limits.requests_per_minute,
        Dimension.INPUT_TOKENS: limits.input_tokens_per_minute,
        Dimension.OUTPUT_TOKENS: limits.output_tokens_per_minute,
    }
    oracle = Oracle({each: per_minute(limit) for each, limit in named.items() if limit is not None})
    scripts, now, in_flight = Scripts(connection, limits), START, []
    for step in steps:
        match step:
            case Pass(seconds):
                now += seconds
            case Take(input_tokens, output_tokens):
                costs = {
                    Dimension.REQUESTS: 1.0,
                    Dimension.INPUT_TOKENS: float(input_tokens),
                    Dimension.OUTPUT_TOKENS: float(min(output_tokens, 250)),
                }
                expected = oracle.take(costs, now * 1000)
                permit, wait = scripts.take(step, now)
                assert wait * 1000 == pytest.approx(expected, abs=1e-3)
                assert (permit is not None) == (expected == 0)
                if permit is not None:
                    in_flight.append((permit, costs))
            case Settle(how, input_tokens, output_tokens, pause) if in_flight:
                permit, reserved = in_flight.pop(0)
                used = dict(reserved)
                if how == "real":
                    used |= {Dimension.INPUT_TOKENS: input_tokens, Dimension.OUTPUT_TOKENS: output_tokens}
                elif how != "keep":
                    used |= {Dimension.INPUT_TOKENS: 0.0, Dimension.OUTPUT_TOKENS: 0.0}
                    used[Dimension.REQUESTS] = 0.0 if how == "drop" else 1.0
                oracle.settle(reserved, used, pause, now * 1000)
                scripts.settle(permit, step, now)
        compare(scripts.levels(), oracle, now * 1000)


def compare(found: dict[Dimension, Level], oracle: Oracle, now_ms: float) -> None:
    for each, level in oracle.levels.items():
        allowance = oracle.allowances[each]

        def at_now(level: Level, allowance: Allowance = allowance) -> float:
            return min(allowance.capacity, level.units + (now_ms - level.at_ms) * allowance.per_ms)

        assert at_now(found[each]) == pytest.approx(at_now(level), rel=1e-9, abs=1e-6)


LIMITS = st.builds(Limits, st.floats(1, 1e6), PER_MINUTE, PER_MINUTE)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LIMITS, STEPS)
def test_lua_and_python_agree_on_fakeredis(limits: Limits, steps: list[Take | Settle | Pass]) -> None:
    run(FakeConnection(fakeredis.FakeServer(), Keys("oracle")), limits, steps)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LIMITS, STEPS)
def test_lua_and_python_agree_on_a_real_server(
    real: Connection, limits: Limits, steps: list[Take | Settle | Pass]
) -> None:
    client = real.sync()
    for name in client.scan_iter(f"{real.keys.root}*"):
        client.delete(name)
    run(real, limits, steps)


def test_a_clock_that_goes_back_gives_nothing_and_stops_nothing(connection: Connection) -> None:
    scripts = Scripts(connection, Limits(requests_per_minute=60))
    assert scripts.take(Take(1, 1), START)[0] is not None
    back = START - 3_600
    assert scripts.take(Take(1, 1), back)[0] is None
    assert scripts.take(Take(1, 1), back + 0.5)[0] is None
    assert scripts.take(Take(1, 1), back + 1.1)[0] is not None

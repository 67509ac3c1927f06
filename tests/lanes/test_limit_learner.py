"""Buckets whose limits nobody wrote down learn them: slowly upwards, at once from headers, for good from refusals."""

import asyncio
import time

import pytest

from attempts import called
from holdfast.lanes import Gate, Reason
from holdfast.lanes.script_client import ScriptClient
from holdfast.model.call_result import Dimension, LimitSeen
from holdfast.model.fault import FaultKind
from holdfast.model.route import Limits
from holdfast.policy.rate_estimate import START_LEVEL, START_PER_MS
from lanes_twin import LANE, House, fault, fetch, plan, reply, route

UNKNOWN = Limits()


@pytest.fixture
def learning(house: House) -> House:
    house.plan = plan(route(limits=UNKNOWN))
    return house


def per_second(house: House) -> float:
    return float(house.bucket()["requests.per_ms"]) * 1000


async def test_an_unknown_limit_starts_with_a_small_burst_at_a_modest_rate(learning: House) -> None:
    learning.offer(100)
    fetched = await learning.fetch(100)
    assert (len(fetched.permits), fetched.reason) == (int(START_LEVEL), Reason.BUCKET)
    assert per_second(learning) == pytest.approx(START_PER_MS * 1000)


async def test_the_rate_grows_as_permits_are_used_before_any_answer(learning: House) -> None:
    learning.offer(1_000)
    for _ in range(10):
        await learning.fetch(100)
        learning.wait(0.1)
    assert per_second(learning) > 1.5 * START_PER_MS * 1000
    assert float(learning.bucket()["requests.capacity"]) == pytest.approx(per_second(learning) / 10, rel=0.01)


async def test_the_rate_grows_while_answers_come_and_it_is_used(learning: House) -> None:
    learning.offer(3_000)
    for _ in range(20):
        await learning.finish((await learning.fetch(100)).permits)
        learning.wait(0.1)
    assert per_second(learning) > 1.5 * START_PER_MS * 1000


async def test_a_rate_that_is_not_used_does_not_grow(learning: House) -> None:
    for _ in range(20):
        learning.offer(1)
        await learning.finish((await learning.fetch(1)).permits)
        learning.wait(0.5)
    assert per_second(learning) == pytest.approx(START_PER_MS * 1000)


async def test_answers_that_come_ever_later_end_the_growth_though_nobody_refuses(learning: House) -> None:
    learning.offer(10_000)
    for step in range(60):
        permits = (await learning.fetch(100)).permits
        seconds = 0.05 if step < 10 else 0.5  # a queue at the server
        await learning.gate.finish([called(permit, reply(), seconds=seconds) for permit in permits[:10]])
        learning.wait(0.05)
    assert learning.bucket()["learn.stage"] == "growing"
    assert per_second(learning) <= 1.1 * 10 / 0.05


async def test_the_round_trip_of_scripts_is_measured_with_what_they_wait_for_in_this_process(house: House) -> None:
    scripts = ScriptClient(house.connection)
    began = time.monotonic()
    for _ in range(3):
        await scripts.run_timed("learn", [house.connection.keys.bucket("nobody's")], ["0", ""])
    assert 0 < scripts.round_trip < time.monotonic() - began
    await scripts.close()


async def test_a_header_is_believed_at_once(learning: House) -> None:
    learning.offer(2)
    permit = await learning.permit()
    limits = {Dimension.REQUESTS: LimitSeen(30_000), Dimension.INPUT_TOKENS: LimitSeen(600_000)}
    await learning.gate.finish([called(permit, reply(), limits=limits)])
    assert per_second(learning) == pytest.approx(500, rel=0.02)
    assert float(learning.bucket()["input_tokens.per_ms"]) == pytest.approx(10, rel=0.02)
    await learning.fetch(1)
    assert learning.level("input_tokens") < float(learning.bucket()["input_tokens.capacity"])


@pytest.mark.parametrize("limit", [0.0, -1.0])
async def test_a_header_that_names_no_limit_is_not_believed(learning: House, limit: float) -> None:
    learning.offer(1)
    await learning.gate.finish(
        [called(await learning.permit(), reply(), limits={Dimension.INPUT_TOKENS: LimitSeen(limit)})]
    )
    assert "input_tokens.per_ms" not in learning.bucket()


async def test_a_refusal_ends_the_growth_and_empties_the_bucket(learning: House) -> None:
    learning.offer(1_000)
    for _ in range(10):
        await learning.finish((await learning.fetch(100)).permits)
        learning.wait(0.1)
    permits = (await learning.fetch(100)).permits
    refused = called(permits[0], fault(FaultKind.RATE_LIMITED, retry_after=1.0), seconds=0.01)
    await learning.gate.finish([refused, *(called(permit, reply()) for permit in permits[1:])])
    bucket = learning.bucket()
    assert bucket["learn.stage"] != "growing"
    assert float(bucket["requests.level"]) <= 0
    assert float(bucket["paused_until"]) == pytest.approx((learning.now + 1.01) * 1000)


async def test_what_was_learned_survives_the_fetches_and_settlements_of_others(learning: House) -> None:
    learning.offer(10)
    other = learning.another_gate()
    permits = [*(await learning.fetch(1)).permits, *(await fetch(other, LANE, 1, "w2", learning.plan)).permits]
    told = {Dimension.REQUESTS: LimitSeen(30_000)}
    await learning.gate.finish([called(permits[0], reply(), limits=told)])
    learning.wait(0.5)
    await other.finish([called(permits[1], reply())])
    assert per_second(learning) == pytest.approx(500, rel=0.02)


async def test_processes_that_learn_at_once_write_one_after_the_other(learning: House) -> None:
    learning.offer(10)
    gates: list[Gate] = [learning.another_gate() for _ in range(3)]
    fetched = [await fetch(gate, LANE, 1, f"w{i}", learning.plan) for i, gate in enumerate(gates)]
    refused = fault(FaultKind.RATE_LIMITED, retry_after=1.0)
    await asyncio.gather(
        *(gate.finish([called(f.permits[0], refused, seconds=0.01)]) for gate, f in zip(gates, fetched, strict=True))
    )
    assert learning.bucket()["learn.refused"] == "3"


async def test_after_a_loss_learning_starts_anew(learning: House) -> None:
    learning.offer(10)
    permits = (await learning.fetch(2)).permits
    told = {Dimension.REQUESTS: LimitSeen(30_000)}
    await learning.gate.finish([called(permits[0], reply(), limits=told)])
    learning.redis.delete(learning.keys.bucket("anthropic/main:opus"))
    await learning.finish(permits[1:])
    learning.wait(1)
    await learning.finish((await learning.fetch(1)).permits)
    assert per_second(learning) == pytest.approx(START_PER_MS * 1000, rel=0.5)


async def test_what_a_bucket_holds_that_nobody_wrote_is_learned_anew(learning: House) -> None:
    learning.offer(10)
    permits = (await learning.fetch(2)).permits
    learning.redis.hset(learning.keys.bucket("anthropic/main:opus"), "learn.stage", "dreaming")
    await learning.gate.finish([called(permits[0], fault(FaultKind.RATE_LIMITED), seconds=0.1)])
    assert learning.bucket()["learn.stage"] == "guessed"

"""Breakers in Redis: one probe in the whole fleet, a ramp after it, and answers that are too late to matter."""

import asyncio
import time

import pytest

from attempts import called
from clocks import CrankedClock
from holdfast.lanes import Reason
from holdfast.model.call_result import Dimension, LimitSeen
from holdfast.model.fault import FaultKind
from holdfast.model.job import Need, Offer
from holdfast.model.route import Limits
from holdfast.policy.breaker_rules import default_rules
from holdfast.policy.recovering import IDLE
from lanes_twin import FULL_SPEED, LANE, House, fault, fetch, plan, route

ROUTE = "route:anthropic/opus"


@pytest.fixture
async def broken(house: House) -> House:
    """Lanes whose only route just opened its breaker; it cools off for a second."""
    await house.break_down()
    assert house.breaker(ROUTE)["state"] == "open"
    return house


async def test_an_open_breaker_refuses_and_names_the_end_of_its_cool_off(broken: House) -> None:
    broken.offer(3)
    fetched = await broken.fetch(3)
    assert (fetched.permits, fetched.reason) == ([], Reason.BREAKER)
    assert fetched.retry_in == pytest.approx(1.0)
    assert fetched.window == 3


async def test_the_next_route_takes_over_while_the_first_is_open(broken: House) -> None:
    broken.plan = plan(route(), route("openai", "gpt"))
    broken.offer(3)
    assert {permit.route for permit in (await broken.fetch(3)).permits} == {"openai/gpt"}


async def test_many_workers_asking_at_the_end_of_a_cool_off_get_one_probe(broken: House) -> None:
    broken.offer(100)
    broken.wait(1.5)
    gates = [broken.another_gate() for _ in range(4)]
    asked = [fetch(gate, LANE, 25, f"w{i}", broken.plan) for i, gate in enumerate(gates) for _ in range(5)]
    permits = [permit for fetched in await asyncio.gather(*asked) for permit in fetched.permits]
    assert [permit.probe for permit in permits] == [True]


@pytest.mark.parametrize(
    ("kind", "scope", "state"),
    [(FaultKind.UNREACHABLE, "endpoint:anthropic", "open"), (FaultKind.SERVER_ERROR, ROUTE, "closed")],
)
async def test_one_job_alone_opens_a_breaker_only_by_what_cannot_be_its_doing(
    house: House, kind: FaultKind, scope: str, state: str
) -> None:
    """A job that nothing of was sent broke nothing; one that was sent may be what its provider breaks on."""
    (job,) = house.offer(1)
    for _ in range(10):
        (permit,) = (await house.fetch()).permits
        assert permit.job == job
        await house.finish([permit], fault(kind))
        if house.breaker(scope).get("state") == "open":
            break
        house.lanes.offer([Offer(job, LANE, Need(100, 100))])
    assert house.breaker(scope)["state"] == state


async def test_a_probe_that_succeeds_starts_a_ramp(broken: House) -> None:
    broken.offer(50)
    broken.wait(1.5)
    (probe,) = (await broken.fetch(10)).permits
    await broken.finish([probe])
    assert broken.breaker(ROUTE)["state"] == "closed"
    ramp = (await broken.fetch(10)).permits
    assert len(ramp) == 2
    await broken.finish(ramp)
    assert len((await broken.fetch(10)).permits) == 3  # 2, then times 1.25 plus 0.5 after each round


async def test_a_probe_that_fails_opens_the_breaker_again(broken: House) -> None:
    broken.offer(5)
    broken.wait(1.5)
    await broken.finish([await broken.permit()], fault())
    fetched = await broken.fetch(5)
    assert (fetched.permits, fetched.reason) == ([], Reason.BREAKER)


async def test_a_probe_that_outlived_its_lease_frees_nobodys_place(broken: House) -> None:
    broken.offer(5)
    broken.wait(1.5)
    first = await broken.permit("w1")
    broken.wait(25.0)
    second = await broken.permit("w2")
    assert (first.probe, second.probe) == (True, True)
    broken.wait(5.0)
    await broken.finish([first], fault(FaultKind.INTERNAL), seconds=30.0)
    assert (await broken.fetch(5, "w3")).reason is Reason.BREAKER
    await broken.finish([second], fault(FaultKind.INTERNAL), seconds=5.0)
    assert (await broken.permit("w3")).probe


async def test_the_probe_of_a_dead_worker_frees_its_place(broken: House) -> None:
    broken.offer(5)
    broken.wait(1.5)
    assert (await broken.permit("w1")).probe
    assert (await broken.fetch(5, "w2")).reason is Reason.BREAKER
    assert await broken.gate.release("w1") == 1
    assert (await broken.permit("w2")).probe


async def test_a_probe_that_was_never_sent_frees_its_place(broken: House) -> None:
    broken.offer(5)
    broken.wait(1.5)
    await broken.gate.drop([await broken.permit()])
    assert (await broken.permit()).probe


async def test_a_probe_that_never_answers_frees_its_place_when_its_lease_ends(broken: House) -> None:
    broken.offer(5)
    broken.wait(1.5)
    assert (await broken.permit()).probe
    broken.wait(24)
    assert (await broken.fetch(5)).reason is Reason.BREAKER
    broken.wait(2)
    assert (await broken.permit()).probe


async def test_a_half_open_breaker_is_asked_again_soon(broken: House) -> None:
    broken.offer(5)
    broken.wait(1.5)
    await broken.permit()
    assert (await broken.fetch(5)).retry_in <= 0.1


async def test_an_answer_from_before_the_outage_moves_nothing(house: House) -> None:
    house.offer(1)
    early = await house.permit()
    await house.break_down()
    before = house.breaker(ROUTE)
    await house.finish([early])
    assert house.breaker(ROUTE) == before


async def test_healthy_calls_write_no_breaker(house: House) -> None:
    house.offer(20)
    await house.finish((await house.fetch(20)).permits)
    assert house.breaker(ROUTE) == {}


async def test_processes_that_settle_at_once_lose_no_verdict(house: House) -> None:
    gates = [house.another_gate() for _ in range(4)]
    house.offer(4)
    fetched = [await fetch(gate, LANE, 1, f"w{i}", house.plan) for i, gate in enumerate(gates)]
    failed = [gate.finish([called(f.permits[0], fault())]) for gate, f in zip(gates, fetched, strict=True)]
    await asyncio.gather(*failed)
    assert house.breaker(ROUTE)["failures"] == "4"


async def test_one_processes_outage_stops_every_other_one(broken: House) -> None:
    broken.offer(1)
    other = broken.another_gate()
    assert (await fetch(other, LANE, 1, "w2", broken.plan)).reason is Reason.BREAKER


async def test_a_bad_key_opens_its_credential_and_the_other_one_goes_on(house: House) -> None:
    house.plan = plan(route(credentials=("one", "two")))
    house.offer(5)
    await house.finish((await house.fetch(2)).permits, fault(FaultKind.AUTH, status=401))
    assert [permit.credential for permit in (await house.fetch(2)).permits] == ["two", "two"]


async def test_an_unreachable_endpoint_opens_all_of_its_routes(house: House) -> None:
    house.plan = plan(route(), route(model="haiku"), route("openai", "gpt"))
    house.offer(8)
    await house.finish((await house.fetch(5)).permits, fault(FaultKind.UNREACHABLE))
    assert {permit.route for permit in (await house.fetch(3)).permits} == {"openai/gpt"}


async def test_slow_calls_in_flight_open_the_breaker_before_they_return(house: House) -> None:
    house.offer(4)
    permits = (await house.fetch(3)).permits
    for permit in [*permits[:2], *permits[:2]]:
        await house.gate.report_slow(permit)  # counted once per permit
    assert house.breaker(ROUTE)["state"] == "closed"
    await house.gate.report_slow(permits[2])
    assert (await house.fetch(1)).reason is Reason.BREAKER
    opened = house.breaker(ROUTE)
    await house.finish(permits)
    assert house.breaker(ROUTE) == opened


async def refuse(house: House, calls: int) -> None:
    """Refuse single calls for their rate, each after the pause that followed the one before."""
    for _ in range(calls):
        house.offer(1)
        house.wait(2)
        await house.finish((await house.fetch(1)).permits, fault(FaultKind.RATE_LIMITED))


async def test_a_limiter_that_refuses_calls_far_below_the_limit_opens_the_breaker(house: House) -> None:
    house.plan = plan(route(limits=Limits(requests_per_minute=1_200)))
    await refuse(house, 5)
    assert house.breaker(ROUTE)["state"] == "open"


async def test_a_limit_that_is_used_up_opens_no_breaker(house: House) -> None:
    house.plan = plan(route(limits=Limits(requests_per_minute=60)))  # whose burst is one call
    await refuse(house, 8)
    assert house.breaker(ROUTE).get("state", "closed") == "closed"


async def test_a_limit_that_nobody_told_opens_no_breaker(house: House) -> None:
    house.plan = plan(route(limits=Limits()))
    await refuse(house, 8)
    assert house.breaker(ROUTE).get("state", "closed") == "closed"


async def test_headers_that_show_a_limit_used_up_are_believed_before_our_own_ledger(house: House) -> None:
    house.plan = plan(route(limits=Limits(requests_per_minute=1_200)))
    used_up = {Dimension.REQUESTS: LimitSeen(1_200, remaining=0)}
    for _ in range(8):
        house.offer(1)
        house.wait(2)
        await house.finish((await house.fetch(1)).permits, fault(FaultKind.RATE_LIMITED), limits=used_up)
    assert house.breaker(ROUTE).get("state", "closed") == "closed"


async def test_health_names_the_routes_that_admit_nothing(broken: House) -> None:
    broken.plan = plan(route(), route("openai", "gpt"))
    gate = broken.another_gate()
    assert (await gate.health(broken.plan)).open_routes == {"anthropic/opus"}
    broken.wait(1.5)
    assert (await broken.another_gate().health(broken.plan)).open_routes == frozenset()


async def test_health_is_at_least_as_young_as_the_call_that_is_judged_by_it(house: House) -> None:
    house.plan = plan(route(), route("openai", "gpt"))
    assert (await house.gate.health(house.plan)).open_routes == frozenset()
    await house.break_down()
    house.wait(0.01)
    assert (await house.gate.health(house.plan, since=house.gate.now())).open_routes == {"anthropic/opus"}


async def test_several_who_ask_for_a_plans_health_at_once_get_one_answer(house: House) -> None:
    answers = await asyncio.gather(*(house.gate.health(house.plan) for _ in range(20)))
    assert all(answer is answers[0] for answer in answers)


async def test_one_who_stops_waiting_for_a_plans_health_takes_it_from_nobody(house: House) -> None:
    first, second = (asyncio.create_task(house.gate.health(house.plan)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).open_routes == frozenset()


async def test_health_tells_of_a_route_on_probation(broken: House) -> None:
    assert (await broken.another_gate().health(broken.plan)).degraded == frozenset()
    broken.wait(1.5)
    broken.offer(1)
    await broken.finish((await broken.fetch(1)).permits)
    assert (await broken.another_gate().health(broken.plan)).degraded == {"anthropic/opus"}


async def test_health_counts_a_paused_route_as_open_only_with_every_credential(house: House) -> None:
    house.plan = plan(route(credentials=("one", "two"), limits=Limits(requests_per_minute=60)))
    house.offer(2)
    first, second = (await house.fetch(2)).permits
    await house.finish([first], fault(FaultKind.RATE_LIMITED, retry_after=30.0))
    assert (await house.another_gate().health(house.plan)).open_routes == frozenset()
    await house.finish([second], fault(FaultKind.RATE_LIMITED, retry_after=30.0))
    assert (await house.another_gate().health(house.plan)).open_routes == {"anthropic/opus"}


async def test_forced_open_takes_no_call_until_the_operator_lifts_it(house: House) -> None:
    house.offer(2)
    house.lanes.force("anthropic/opus", "open")
    fetched = await house.fetch(1)
    assert (fetched.reason, fetched.retry_in) == (Reason.BREAKER, None)
    house.lanes.force("anthropic/opus", None)
    assert len((await house.fetch(1)).permits) == 1


async def test_forced_closed_takes_calls_whatever_they_bring(house: House) -> None:
    house.lanes.force("anthropic/opus", "closed")
    house.offer(10)
    await house.finish((await house.fetch(9)).permits, fault())
    assert len((await house.fetch(1)).permits) == 1


async def test_forcing_what_is_forced_already_changes_nothing(house: House) -> None:
    house.lanes.force("anthropic/opus", "open")
    before = house.breaker(ROUTE)
    house.lanes.force("anthropic/opus", "open")
    assert house.breaker(ROUTE) == before


async def test_lifting_an_override_that_is_not_there_leaves_an_open_breaker_open(broken: House) -> None:
    before = broken.breaker(ROUTE)
    broken.lanes.force("anthropic/opus", None)
    assert broken.breaker(ROUTE) == before


async def test_reset_closes_breakers_and_ends_pauses_in_the_way_of_a_route(house: House) -> None:
    house.offer(12)
    permits = (await house.fetch(11)).permits
    await house.finish(permits[:5], fault(FaultKind.UNREACHABLE))
    await house.finish(permits[5:10], fault())
    await house.finish(permits[10:], fault(FaultKind.RATE_LIMITED, retry_after=600.0))
    house.lanes.reset("anthropic/opus")
    assert len((await house.fetch(1)).permits) == 1


async def test_a_snapshot_shows_breakers_buckets_and_slots(broken: House) -> None:
    broken.plan = plan(route(), route("openai", "gpt", FULL_SPEED))
    broken.offer(2)
    await broken.fetch(2)
    broken.lanes.set_paused("other.batch", True)
    seen = broken.lanes.snapshot()
    assert [(view.scope, view.state, view.epoch) for view in seen.breakers if view.state == "open"] == [
        (ROUTE, "open", 1)
    ]
    assert {view.name for view in seen.buckets} == {"anthropic/main:opus", "openai/main:gpt"}
    assert seen.slots["openai/gpt"] == 2
    assert seen.paused == {"other.batch"}
    assert seen.epoch.startswith("fresh:")


async def test_a_snapshot_tells_who_recovers_and_not_for_ever_of_a_route_that_nobody_calls(house: House) -> None:
    def told() -> list[tuple[str, bool]]:
        return [(view.scope, view.recovering) for view in house.lanes.snapshot().breakers if view.allowance is not None]

    house.now = time.time() - IDLE - 10  # a snapshot is of now, by Redis's clock
    await house.break_down()
    house.wait(5)
    house.offer(2)
    await house.finish((await house.fetch(1)).permits)
    assert told() == [(ROUTE, False)]
    assert len((await house.fetch(1)).permits) == 1
    assert told() == [(ROUTE, True)]


async def test_rules_of_ones_own_change_when_a_breaker_opens(house: House) -> None:
    gate = house.make_gate(
        clock=CrankedClock(lambda: house.now), rules=lambda scope: default_rules(scope).overridden({"consecutive": 1})
    )
    house.offer(2)
    permits = (await fetch(gate, LANE, 1, "w1", house.plan)).permits
    await gate.finish([called(permits[0], fault())])
    assert (await fetch(gate, LANE, 1, "w1", house.plan)).reason is Reason.BREAKER

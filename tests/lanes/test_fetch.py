"""The gate gives each job the first target of its plan that admits it, keeps the order of the rest, and says why."""

import pytest

from holdfast.lanes import Reason
from holdfast.model.fault import FaultKind
from holdfast.model.job import Need
from holdfast.model.route import Limits
from lanes_twin import LANE, House, fault, fetch, jobs, offers, plan, route


async def test_jobs_come_in_the_order_in_which_they_were_offered(house: House) -> None:
    made = house.offer(10)
    fetched = await house.fetch(4)
    assert jobs(fetched.permits) == made[:4]
    assert (fetched.reason, fetched.window) == (None, 6)
    assert jobs((await house.fetch(100)).permits) == made[4:]


async def test_a_permit_names_everything_its_call_goes_through(house: House) -> None:
    (job,) = house.offer(1)
    permit = await house.permit()
    assert (permit.job, permit.lane, permit.route, permit.credential) == (job, LANE, "anthropic/opus", "main")
    assert permit.epochs == {"route:anthropic/opus": 0, "credential:anthropic/main": 0, "endpoint:anthropic": 0}
    assert not permit.probe


async def test_an_empty_lane_says_so_and_names_no_time(house: House) -> None:
    fetched = await house.fetch(5)
    assert (fetched.permits, fetched.reason, fetched.retry_in) == ([], Reason.EMPTY, None)


async def test_a_lane_with_fewer_jobs_than_asked_for_gives_them_and_says_empty(house: House) -> None:
    house.offer(2)
    fetched = await house.fetch(5)
    assert (len(fetched.permits), fetched.reason) == (2, Reason.EMPTY)


async def test_a_redis_that_does_not_know_us_gives_nothing(connection, gates) -> None:
    house = House(connection, gates)
    house.offer(1)
    assert (await house.fetch(1)).reason is Reason.EPOCH


async def test_a_paused_lane_gives_nothing_until_it_is_resumed(house: House) -> None:
    house.offer(1)
    house.lanes.set_paused(LANE, True)
    fetched = await house.fetch(1)
    assert (fetched.permits, fetched.reason, fetched.window) == ([], Reason.PAUSED, 1)
    house.lanes.set_paused(LANE, False)
    assert len((await house.fetch(1)).permits) == 1


async def test_the_first_route_of_the_plan_that_admits_takes_the_job(house: House) -> None:
    house.plan = plan(route(limits=Limits(requests_per_minute=60_000_000, concurrency=2)), route("openai", "gpt"))
    house.offer(3)
    assert [permit.route for permit in (await house.fetch(3)).permits] == ["anthropic/opus"] * 2 + ["openai/gpt"]


async def test_a_second_credential_takes_what_the_first_cannot(house: House) -> None:
    house.plan = plan(route(limits=Limits(requests_per_minute=60), credentials=("one", "two")))
    house.offer(3)
    fetched = await house.fetch(3)
    assert [permit.credential for permit in fetched.permits] == ["one", "two"]
    assert fetched.reason is Reason.BUCKET


async def test_a_job_that_avoids_the_only_route_is_passed_over_and_keeps_its_place(house: House) -> None:
    need = Need(10, 10, {"anthropic/opus": house.now + 5})
    avoiding = offers(2, need)
    house.lanes.offer(avoiding)
    others = house.offer(2)
    fetched = await house.fetch(4)
    assert jobs(fetched.permits) == others
    assert (fetched.reason, fetched.retry_in, fetched.window) == (Reason.AVOIDED, pytest.approx(5), 2)
    house.wait(5)
    assert jobs((await house.fetch(4)).permits) == [offer.id for offer in avoiding]


async def test_a_job_that_avoids_one_route_takes_the_next(house: House) -> None:
    house.plan = plan(route(), route("openai", "gpt"))
    house.offer(1, Need(10, 10, {"anthropic/opus": None}))
    assert (await house.permit()).route == "openai/gpt"


async def test_a_job_that_avoids_every_route_for_ever_names_no_time(house: House) -> None:
    house.offer(1, Need(10, 10, {"anthropic/opus": None}))
    fetched = await house.fetch(1)
    assert (fetched.reason, fetched.retry_in) == (Reason.AVOIDED, None)


async def test_no_more_than_64_jobs_are_passed_over(house: House) -> None:
    house.offer(64, Need(10, 10, {"anthropic/opus": None}))
    house.offer(1)
    assert (await house.fetch(1)).permits == []
    house.plan = plan(route(), route("openai", "gpt"))
    assert len((await house.fetch(64)).permits) == 64


async def test_a_large_job_at_the_head_is_not_starved_by_small_ones_behind_it(house: House) -> None:
    house.plan = plan(route(limits=Limits(requests_per_minute=60_000, input_tokens_per_minute=60_000)))
    house.offer(1, Need(600, 0))
    house.offer(1, Need(900, 0))  # waits for its tokens
    house.offer(1, Need(10, 0))
    fetched = await house.fetch(3)
    assert (len(fetched.permits), fetched.reason) == (1, Reason.BUCKET)
    assert 0.5 < fetched.retry_in < 0.7


async def test_neither_is_it_where_both_could_take_one_route_alone(house: House) -> None:
    limits = Limits(requests_per_minute=60_000, input_tokens_per_minute=60_000)
    house.plan = plan(route("openai", "gpt"), route(limits=limits))
    for tokens in (600, 900, 10):
        house.offer(1, Need(tokens, 0, {"openai/gpt": None}))
    fetched = await house.fetch(3)
    assert (len(fetched.permits), fetched.window) == (1, 2)


async def test_what_is_known_of_a_dead_worker_s_permits_goes_with_the_last_lease(house: House) -> None:
    house.offer(1)
    permit = await house.permit()
    left = house.redis.pttl(house.keys.permits(permit.worker)) / 1000
    assert house.plan.routes[0].deadline < left < house.plan.routes[0].deadline + 120


async def test_a_job_larger_than_the_bucket_starts_on_a_full_one_and_leaves_a_debt(house: House) -> None:
    house.plan = plan(route(limits=Limits(requests_per_minute=60_000, input_tokens_per_minute=60_000)))
    house.offer(2, Need(5_000, 0))
    fetched = await house.fetch(2)
    assert len(fetched.permits) == 1
    assert house.level("input_tokens") < -3_900
    assert 4.5 < fetched.retry_in < 6


async def test_what_waits_for_a_bucket_is_admitted_after_retry_in_and_not_before(house: House) -> None:
    house.plan = plan(route(limits=Limits(requests_per_minute=120)))
    house.offer(4)
    first = await house.fetch(4)
    assert first.reason is Reason.BUCKET
    house.wait(first.retry_in - 0.002)
    assert (await house.fetch(1)).permits == []
    house.wait(0.002)
    assert len((await house.fetch(1)).permits) == 1


async def test_slots_bound_the_calls_in_flight_over_all_workers(house: House) -> None:
    house.plan = plan(route(limits=Limits(requests_per_minute=60_000_000, concurrency=3)))
    house.offer(10)
    mine = await house.fetch(2, "w1")
    others = await house.fetch(5, "w2")
    assert (len(mine.permits), len(others.permits), others.reason) == (2, 1, Reason.SLOTS)
    await house.finish(mine.permits)
    assert len((await house.fetch(5, "w2")).permits) == 2


async def test_the_slot_of_a_call_that_nobody_settles_is_free_after_its_deadline(house: House) -> None:
    house.plan = plan(route(limits=Limits(requests_per_minute=60_000_000, concurrency=1), deadline=30))
    house.offer(2)
    await house.permit()
    house.wait(30)
    assert (await house.fetch(1)).reason is Reason.SLOTS
    house.wait(5)
    assert len((await house.fetch(1)).permits) == 1


async def test_only_one_process_at_a_time_is_asked_to_top_up_a_low_window(house: House) -> None:
    house.offer(10)
    assert (await house.fetch(1)).low
    assert not (await fetch(house.another_gate(), LANE, 1, "w2", house.plan)).low


async def test_a_window_that_is_full_enough_is_not_low(house: House) -> None:
    house.offer(600)
    assert not (await house.fetch(1)).low


async def test_garbage_in_a_lane_stalls_nobody(house: House) -> None:
    keys, redis = house.keys, house.redis
    redis.rpush(keys.lane(LANE), "no such message", "", *map(str, range(300)))
    redis.hset(keys.messages(LANE), "1", "{broken")
    redis.hset(keys.need(LANE), mapping={"2": "not a need", "3": "-1\t5", "4": "\t\t\t"})
    (job,) = house.offer(1)
    found = []
    for _ in range(10):
        fetched = await house.fetch(5)
        found += jobs(fetched.permits)
        if fetched.reason is Reason.EMPTY and fetched.retry_in is None:
            break
    assert found == [job]
    assert redis.llen(keys.lane(LANE)) == 0
    assert list(redis.hkeys(keys.messages(LANE))) == [job]


async def test_an_id_that_is_in_the_list_twice_gets_one_permit(house: House) -> None:
    (job,) = house.offer(1)
    house.redis.rpush(house.keys.lane(LANE), job, job)
    house.offer(1, Need(10, 10, {"anthropic/opus": None}))
    assert jobs((await house.fetch(5)).permits) == [job]
    assert house.redis.llen(house.keys.lane(LANE)) == 1


async def test_a_breaker_that_cannot_be_read_admits_nothing(house: House) -> None:
    house.offer(1)
    house.redis.hset(house.keys.breaker("endpoint:anthropic"), mapping={"state": "sideways", "epoch": "x"})
    fetched = await house.fetch(1)
    assert (fetched.permits, fetched.reason) == ([], Reason.BREAKER)


async def test_scripts_are_loaded_again_when_the_server_forgot_them(house: House) -> None:
    house.offer(2)
    await house.permit()
    house.redis.script_flush()
    assert len((await house.fetch(1)).permits) == 1


async def test_a_pause_after_a_429_stops_the_bucket_and_names_its_end(house: House) -> None:
    house.offer(3)
    await house.finish([await house.permit()], fault(FaultKind.RATE_LIMITED, retry_after=7.0))
    fetched = await house.fetch(1)
    assert (fetched.reason, fetched.retry_in) == (Reason.BUCKET, pytest.approx(7.01))
    house.wait(7.02)
    assert len((await house.fetch(1)).permits) == 1


async def test_a_shorter_pause_does_not_end_a_longer_one(house: House) -> None:
    house.offer(3)
    first, second = (await house.fetch(2)).permits
    await house.finish([first], fault(FaultKind.RATE_LIMITED, retry_after=20.0))
    await house.finish([second], fault(FaultKind.RATE_LIMITED, retry_after=1.0))
    assert (await house.fetch(1)).retry_in == pytest.approx(20.01)

"""An offer puts jobs into a lane's window: each at most once, in order, within bounds, as dramatiq messages."""

from random import Random

import dramatiq
import pytest
from dramatiq.brokers.redis import RedisBroker
from dramatiq.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attempts import called
from holdfast.lanes import BacklogPart, Connection, Lanes
from holdfast.lanes.entry import ACTOR, write_message
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.job import Need, Offer
from holdfast.model.step import Reroute
from lanes_twin import LANE, House, jobs, next_id, offers


def test_a_job_offered_twice_is_in_the_window_once(connection: Connection) -> None:
    lanes, made = Lanes(connection), offers(3)
    assert lanes.offer(made) == 3
    assert lanes.offer(made) == 0
    assert lanes.lengths() == {LANE: 3}


def test_the_window_takes_jobs_only_up_to_its_size(connection: Connection) -> None:
    lanes = Lanes(connection)
    assert lanes.offer(offers(30), window=20) == 20
    assert lanes.offer(offers(5), window=20) == 0
    assert lanes.lengths() == {LANE: 20}


def waiting(connection: Connection) -> list[str]:
    return connection.sync().lrange(connection.keys.lane(LANE), 0, -1)


def due(*seconds: float | None) -> list[Offer]:
    """Jobs with these deadlines, each younger than the one before."""
    return [Offer(next_id(), LANE, Need(1, 1, expires_at=each)) for each in seconds]


def test_a_full_window_takes_what_is_pressing_and_lets_its_last_jobs_go(connection: Connection) -> None:
    lanes = Lanes(connection)
    patient, (first, second, third) = offers(3), due(30.0, 10.0, 20.0)
    lanes.offer(patient, window=4)
    assert lanes.offer([first, second, third], window=4) == 3
    assert waiting(connection) == [second.id, third.id, first.id, patient[0].id]
    assert sorted(connection.sync().hkeys(connection.keys.need(LANE))) == sorted(waiting(connection))
    assert lanes.offer(patient, window=4) == 0


def test_a_job_that_had_no_room_is_not_overtaken_by_one_behind_it(connection: Connection) -> None:
    lanes, made = Lanes(connection), due(*[None] * 8)
    lanes.offer(made[:4], window=3)
    connection.sync().lpop(connection.keys.lane(LANE), 2)
    assert lanes.offer(made[4:6], window=3) == 0
    assert lanes.offer(due(9.0), window=3) == 1
    assert lanes.offer(made[3:5], window=3, backlog=BacklogPart.PART) == 1
    assert lanes.offer(made[6:], window=9) == 0


def test_when_the_window_holds_all_that_waits_whatever_comes_is_taken_again(connection: Connection) -> None:
    lanes, made = Lanes(connection), due(*[None] * 8)
    lanes.offer(made[:4], window=3)
    connection.sync().lpop(connection.keys.lane(LANE), 3)
    assert lanes.offer(made[3:6], window=9, backlog=BacklogPart.ALL) == 3
    assert lanes.offer(made[6:], window=9) == 2


def test_the_head_of_a_backlog_leaves_place_for_no_job_behind_it(connection: Connection) -> None:
    lanes, made = Lanes(connection), due(*[None] * 4)
    lanes.offer(made[:2], window=9, backlog=BacklogPart.PART)
    assert lanes.offer(made[2:], window=9) == 0
    assert lanes.offer(due(5.0), window=9) == 1


def test_a_large_head_goes_in_over_several_calls(connection: Connection) -> None:
    lanes, made = Lanes(connection), due(*[None] * 2_600)
    assert lanes.offer(made[:2_500], window=2_200, backlog=BacklogPart.ALL) == 2_200
    assert waiting(connection) == [each.id for each in made[:2_200]]
    assert lanes.offer(made[2_500:], window=9_999) == 0
    assert lanes.offer(made, window=9_999, backlog=BacklogPart.ALL) == 400
    assert waiting(connection) == [each.id for each in made]


async def test_the_nearest_deadline_comes_first_then_the_oldest_in_whatever_order_they_were_offered(
    house: House,
) -> None:
    made = due(None, 50.0, None, 20.0, 50.0, 90.0)
    for each in (made[5], made[2], made[4], made[0], made[3], made[1]):
        house.lanes.offer([each])
    wanted = [made[place].id for place in (3, 1, 4, 5, 0, 2)]
    assert jobs((await house.fetch(6)).permits) == wanted


@pytest.mark.parametrize("late", [1, 20, 200])
async def test_older_jobs_that_come_late_take_their_places_few_or_many(house: House, late: int) -> None:
    made = due(*(float(n % 7) if n % 3 else None for n in range(600)))
    chance = Random(7)
    kept_back = chance.sample(made, late)
    house.lanes.offer([each for each in made if each not in kept_back])
    assert house.lanes.offer(kept_back) == late
    wanted = sorted(made, key=lambda each: (each.need.expires_at is None, each.need.expires_at or 0.0, each.id))
    assert waiting(house.connection) == [each.id for each in wanted]


async def test_jobs_that_go_back_take_their_places_by_deadline_and_age(house: House) -> None:
    made = due(None, 40.0, None, 30.0)
    house.lanes.offer(made)
    taken = (await house.fetch(3)).permits
    assert jobs(taken) == [made[3].id, made[1].id, made[0].id]
    pressing = due(35.0)
    house.lanes.offer(pressing)
    needs = {each.id: each.need for each in made}
    step = Reroute({}, uses_attempt=False)
    back = [called(each, Fault(FaultKind.INTERNAL), step=step, need=needs[each.job]) for each in taken]
    await house.gate.finish(back)
    wanted = [made[3].id, pressing[0].id, made[1].id, made[0].id, made[2].id]
    assert jobs((await house.fetch(5)).permits) == wanted


async def test_what_nobody_can_read_waits_at_the_end_and_stops_nobody(house: House) -> None:
    house.redis.rpush(house.keys.lane(LANE), b"garbage")
    made = due(5.0, None)
    house.lanes.offer(made)
    assert jobs((await house.fetch(2)).permits) == [each.id for each in made]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.tuples(st.none() | st.integers(1, 9), st.integers(0, 9)), max_size=40), max_size=5))
def test_whatever_is_offered_in_whatever_groups_the_lane_is_in_order_and_bounded(connection, groups) -> None:
    keys = connection.keys
    connection.sync().delete(*(name(LANE) for name in (keys.lane, keys.messages, keys.need, keys.beyond)))
    known = {}
    for group in groups:
        made = [Offer(f"{age:032x}", LANE, Need(1, 1, expires_at=None if d is None else float(d))) for d, age in group]
        for each in made:
            known.setdefault(each.id, each)
        Lanes(connection).offer([known[each.id] for each in made], window=6)
        ranks = [(known[job].need.expires_at or 1e9, job) for job in waiting(connection)]
        assert ranks == sorted(ranks)
        assert len(ranks) == len(set(ranks)) <= 6


def test_offers_of_several_lanes_go_to_their_lanes(connection: Connection) -> None:
    lanes = Lanes(connection)
    lanes.offer([*offers(2, lane="a.batch"), *offers(1, lane="b.interactive"), *offers(1, lane="a.batch")])
    assert lanes.lengths() == {"a.batch": 3, "b.interactive": 1}


async def test_a_job_that_was_acknowledged_may_be_offered_again(house: House) -> None:
    (offer,) = offers(1)
    house.lanes.offer([offer])
    await house.finish([await house.permit()])
    assert house.lanes.offer([offer]) == 1


async def test_a_job_in_a_workers_hands_is_not_offered_again(house: House) -> None:
    (offer,) = offers(1)
    house.lanes.offer([offer])
    await house.permit()
    assert house.lanes.offer([offer]) == 0


async def test_a_gate_offers_as_the_lanes_do(house: House) -> None:
    made = offers(3)
    assert await house.gate.offer(made) == 3
    assert await house.gate.offer(made) == 0
    assert jobs((await house.fetch(3)).permits) == [offer.id for offer in made]


@pytest.mark.parametrize("connection", ["embedded"], indirect=True)
def test_a_window_entry_is_a_message_that_dramatiqs_own_broker_reads_and_acknowledges(connection: Connection) -> None:
    (offer,) = offers(1, Need(7, 9, {"openai/gpt": None}))
    Lanes(connection).offer([offer])
    broker = RedisBroker(url=connection.url, namespace=connection.keys.lanes, middleware=[])

    @dramatiq.actor(actor_name="run_job", queue_name=LANE, broker=broker)
    def run_job(job: str) -> None: ...

    consumer = broker.consume(LANE, prefetch=1, timeout=10)
    message = next(consumer)
    assert message is not None
    assert (message.actor_name, message.queue_name, message.args) == ("run_job", LANE, (offer.id,))
    assert message.message_id == message.options["redis_message_id"] == offer.id
    consumer.ack(message)
    assert connection.sync().hlen(connection.keys.messages(LANE)) == 0
    consumer.close()
    broker.client.close()


def test_a_message_is_what_dramatiq_would_have_encoded():
    offer = Offer("0" * 32, "smart.batch", Need(1, 1))
    read = Message.decode(write_message(offer))
    made = Message(
        queue_name=offer.lane,
        actor_name=ACTOR,
        args=(offer.id,),
        kwargs={},
        options={"redis_message_id": offer.id},
        message_id=offer.id,
        message_timestamp=read.message_timestamp,
    )
    assert Message.decode(made.encode()) == read

"""An offer puts jobs into a lane's window: each at most once, in order, within bounds, as dramatiq messages."""

import dramatiq
import pytest
from dramatiq.brokers.redis import RedisBroker

from holdfast.lanes import Connection, Lanes
from holdfast.model.job import Need
from lanes_twin import LANE, House, jobs, offers


def test_a_job_offered_twice_is_in_the_window_once(connection: Connection) -> None:
    lanes, made = Lanes(connection), offers(3)
    assert lanes.offer(made) == 3
    assert lanes.offer(made) == 0
    assert lanes.lengths() == {LANE: 3}


def test_the_window_takes_jobs_only_up_to_its_size(connection: Connection) -> None:
    lanes = Lanes(connection)
    assert lanes.offer(offers(30), window=20) == 20
    assert lanes.offer(offers(5), window=20) == 0


def test_the_front_has_no_bound(connection: Connection) -> None:
    lanes = Lanes(connection)
    lanes.offer(offers(20), window=20)
    assert lanes.offer(offers(5), front=True, window=20) == 5


async def test_jobs_offered_at_the_front_come_first_in_the_order_given(house: House) -> None:
    waiting = house.offer(2)
    urgent = offers(3)
    house.lanes.offer(urgent, front=True)
    assert jobs((await house.fetch(5)).permits) == [offer.id for offer in urgent] + waiting


async def test_many_jobs_at_the_front_keep_their_order_over_several_groups(house: House) -> None:
    urgent = offers(1_203)
    assert house.lanes.offer(urgent, front=True) == 1_203
    fetched = [*(await house.fetch(1_000)).permits, *(await house.fetch(1_000)).permits]
    assert jobs(fetched) == [offer.id for offer in urgent]


def test_offers_of_several_lanes_go_to_their_lanes(connection: Connection) -> None:
    lanes = Lanes(connection)
    lanes.offer([*offers(2, lane="a.batch"), *offers(1, lane="b.interactive"), *offers(1, lane="a.batch")])
    assert lanes.lengths() == {"a.batch": 3, "b.interactive": 1}


async def test_a_job_that_was_acknowledged_may_be_offered_again(house: House) -> None:
    (offer,) = offers(1)
    house.lanes.offer([offer])
    await house.settle([await house.permit()])
    assert house.lanes.offer([offer]) == 1


async def test_a_job_in_a_workers_hands_is_not_offered_again(house: House) -> None:
    (offer,) = offers(1)
    house.lanes.offer([offer])
    await house.permit()
    assert house.lanes.offer([offer]) == 0


async def test_a_gate_offers_as_the_lanes_do(house: House) -> None:
    made = offers(3)
    assert await house.gate.offer(made) == 3
    assert await house.gate.offer(made, front=True) == 0
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

"""Messages are signed: what nobody with our key wrote gets no call, holds nobody up, and is counted."""

from collections.abc import AsyncIterator

import pytest_asyncio
from dramatiq.message import Message
from structlog.testing import capture_logs

from attempts import called
from holdfast.lanes import Connection, Gate, Lanes
from holdfast.lanes.message_signer import MessageSigner
from holdfast.model.job import Need
from holdfast.model.route import Limits
from holdfast.model.step import Reroute
from lanes_twin import LANE, House, fault, fetch, jobs, offers, plan, route

KEY = b"the key of this storage"


@pytest_asyncio.fixture
async def house(connection: Connection, gates) -> AsyncIterator[House]:
    connection._key = lambda: KEY
    house = House(connection, gates)
    await house.gate.begin(fresh=True)
    return house


async def test_what_was_offered_with_the_key_is_given(house: House) -> None:
    made = offers(3, Need(10, 20, {"openai/gpt": None}))
    house.lanes.offer(made)
    assert jobs((await house.fetch(5)).permits) == [offer.id for offer in made]


async def test_a_message_carries_its_job_and_no_more_and_the_need_beside_it_the_signature(house: House) -> None:
    (offer,) = offers(1)
    house.lanes.offer([offer])
    message = Message.decode(house.redis.hget(house.keys.messages(LANE), offer.id).encode())
    signature = MessageSigner(KEY).sign(LANE, offer.id, "100\t100")
    assert (message.args, message.options) == ((offer.id,), {"redis_message_id": offer.id})
    assert house.redis.hget(house.keys.need(LANE), offer.id) == f"100\t100\n{signature}"


async def test_a_message_of_older_code_which_also_carried_the_signature_is_given(house: House) -> None:
    (offer,) = offers(1)
    house.lanes.offer([offer])
    older = Message.decode(house.redis.hget(house.keys.messages(LANE), offer.id).encode())
    older.options.update(version=1, signature=MessageSigner(KEY).sign(LANE, offer.id, "100\t100"))
    house.redis.hset(house.keys.messages(LANE), offer.id, older.encode())
    assert jobs((await house.fetch()).permits) == [offer.id]


async def test_forged_messages_are_refused_counted_and_logged_and_their_units_come_back(house: House) -> None:
    house.plan = plan(route(limits=Limits(requests_per_minute=6_000)))
    forged, ours = offers(4), offers(2)
    unsigned, wrong, stolen, changed = forged
    house.lanes.offer([*forged, *ours])
    need = house.keys.need(LANE)
    taken = house.redis.hget(need, ours[0].id)
    for job, text in ((unsigned, "1\t1"), (wrong, "1\t1\n" + "0" * 32), (stolen, taken), (changed, f"9{taken}")):
        house.redis.hset(need, job.id, text)
    with capture_logs() as said:
        fetched = await house.fetch(10)
    assert jobs(fetched.permits) == [offer.id for offer in ours]
    assert [(entry["event"], entry["count"]) for entry in said] == [("messages_refused", 4)]
    assert house.lanes.snapshot().refused == 4
    await house.gate.drop(fetched.permits)
    assert house.level() == house.lanes.snapshot().buckets[0].capacity["requests"]
    assert house.lanes.offer(forged) == 4  # SQL may offer them again, and they are given then
    assert len((await house.fetch(10)).permits) == 4


async def test_a_job_that_goes_back_to_its_lane_is_signed_again(house: House) -> None:
    house.lanes.offer(offers(1))
    permit = await house.permit()
    await house.gate.finish([called(permit, fault(), step=Reroute({"openai/gpt": None}, uses_attempt=False))])
    house.wait(60)
    assert jobs((await house.fetch(5)).permits) == [permit.job]


async def test_processes_with_another_key_refuse_and_offer_again(house: House, gates) -> None:
    made = offers(2)
    house.lanes.offer(made)
    other = type(house.connection).__new__(type(house.connection))
    other.__dict__ |= {**house.connection.__dict__, "_key": lambda: b"another", "_signer": None}
    gate: Gate = gates()
    gate._connection = other
    assert (await fetch(gate, LANE, 5, "w2", house.plan)).permits == []
    assert Lanes(other).offer(made) == 2
    assert len((await fetch(gate, LANE, 5, "w2", house.plan)).permits) == 2

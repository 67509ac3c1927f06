"""Only where other hosts work beside this one can a fault of the connection be this host's own."""

import asyncio

from holdfast.model.ids import new_id
from holdfast.store.fleet import register_worker
from holdfast.worker import peer_watch
from holdfast.worker.peer_watch import PeerWatch
from worker.workshop import Workshop, until


async def watched(workshop: Workshop, hosts: list[str], before: str) -> str:
    """What the gate takes for our host, once we have looked at who works."""
    workshop.scene.sql("delete from worker")
    for host in hosts:
        workshop.scene.store.write(register_worker, new_id(), host, 1, "1.0", lease=60.0)
    breakers = workshop.context.gate.local_breakers
    breakers.host = before
    watching = asyncio.create_task(PeerWatch(workshop.context, "here").run())
    await until(lambda: breakers.host != before)
    watching.cancel()
    return breakers.host


async def test_beside_another_host_this_one_has_a_name(workshop: Workshop):
    assert await watched(workshop, ["here", "there"], "") == "here"


async def test_a_host_alone_has_none_and_waits_for_nobody_to_confirm_what_it_sees(workshop: Workshop):
    assert await watched(workshop, ["here", "here"], "here") == ""


async def test_while_sql_is_away_what_was_true_stays_true(workshop: Workshop, monkeypatch):
    monkeypatch.setattr(peer_watch, "LOOK_EVERY", 0.0)
    workshop.context.gate.local_breakers.host = "here"
    workshop.cut_off_sql()
    watching = asyncio.create_task(PeerWatch(workshop.context, "here").run())
    await until(lambda: not workshop.context.dependencies.sql)
    watching.cancel()
    assert workshop.context.gate.local_breakers.host == "here"

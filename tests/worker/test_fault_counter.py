"""Faults of a process's calls reach what people look at while they look."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import fakeredis
import pytest

from holdfast.lanes.keys import Keys
from holdfast.lanes.recent_faults import recent_faults
from holdfast.model.fault import Fault, FaultKind
from holdfast.worker import fault_counter
from holdfast.worker.fault_counter import FaultCounter
from lanes_twin import FakeConnection

FAULT = Fault(FaultKind.SERVER_ERROR, status=503)


@pytest.fixture
def connection() -> FakeConnection:
    return FakeConnection(fakeredis.FakeServer(), Keys("t"))


@pytest.fixture
async def counter(connection: FakeConnection) -> AsyncIterator[FaultCounter]:
    counter = FaultCounter(connection)
    running = asyncio.create_task(counter.run())
    yield counter
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def counted(connection: FakeConnection, calls: int) -> None:
    """Wait until ``calls`` failed calls are told."""
    async with asyncio.timeout(30):
        while sum(each.count.calls for each in recent_faults(connection, 60.0)) != calls:  # noqa: ASYNC110  Redis tells nobody
            await asyncio.sleep(0)


async def test_the_first_fault_is_told_at_once(counter, connection, monkeypatch) -> None:
    monkeypatch.setattr(fault_counter, "PAUSE", 3600.0)
    counter.record("a/m", FAULT)
    await counted(connection, 1)


async def test_what_comes_while_one_is_told_is_told_after_it(counter, connection, monkeypatch) -> None:
    monkeypatch.setattr(fault_counter, "PAUSE", 0.0)
    told = fault_counter.note_faults

    def told_slowly(connection, counts) -> None:
        if sum(counts.values()) == 1:
            counter.record("a/m", FAULT)
            counter.record("b/m", FAULT)
        told(connection, counts)

    monkeypatch.setattr(fault_counter, "note_faults", told_slowly)
    counter.record("a/m", FAULT)
    await counted(connection, 3)

"""A worker's parts on a SQLite file and a Redis in this process: everything real but the providers."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import fakeredis
import pytest

from holdfast.config import load
from holdfast.lanes import Gate
from holdfast.lanes.keys import Keys
from holdfast.model.call_result import CallResult
from holdfast.model.errors import StorageUnavailable
from holdfast.model.job import Claimed, Permit
from holdfast.model.route import Limits, Plan
from holdfast.store import Store
from holdfast.store.backlog import lane_heads
from holdfast.worker.attempt import AttemptRunner
from holdfast.worker.call_runner import CallInFlight
from holdfast.worker.context import WorkerContext
from holdfast.worker.held_jobs import HeldJobs
from holdfast.worker.lane_schedule import LaneSchedule, ScheduledLane
from holdfast.worker.overrides import Overrides
from holdfast.worker.permit_releaser import PermitReleaser
from holdfast.worker.provider_pool import ProviderPool
from lanes_twin import LANE, FakeConnection, route
from store.scene import REPLY, Scene

ONE = Limits(requests_per_minute=60_000, concurrency=1)
PLAN = Plan("smart", (route(limits=ONE), route("openai", "gpt", limits=ONE)))
CONFIG = """
[storage]
database_url = "sqlite:///{directory}/holdfast.db"
redis_url = "redis://127.0.0.1:1/0"
directory = "{directory}"
[worker]
lease = "1h"  # on a busy machine, too, it holds until the test's end
"""


class ScriptedCalls:
    """Answers every call with what it was told, after ``meanwhile``."""

    def __init__(self, result: CallResult) -> None:
        self.result, self.meanwhile = result, lambda _: None

    async def run(self, call: CallInFlight, plan: Plan) -> CallResult:
        self.meanwhile(call)
        call.over = True
        return self.result


class Workshop:
    """``server`` is the Redis, which can be cut off; ``scene`` is SQL's side."""

    def __init__(self, directory: Path, server: fakeredis.FakeServer, store: Store | None = None) -> None:
        (directory / "holdfast.toml").write_text(CONFIG.format(directory=directory))
        settings = load(directory / "holdfast.toml", {})
        store = store or Store(settings.storage.database_url)
        store.ensure()
        self.server, self.connection = server, FakeConnection(server, Keys("t"))
        lanes = LaneSchedule(settings, ProviderPool(settings, 1))
        lanes.entries[LANE] = ScheduledLane(LANE, PLAN)
        self.context = WorkerContext(settings, store, Gate(self.connection), lanes)
        self.context.writer.start()
        self.scene, self.lane = Scene(store), lanes.entries[LANE]
        self.releaser = PermitReleaser(self.context)
        self.calls = ScriptedCalls(CallResult(REPLY))
        self.attempts = AttemptRunner(self.context, self.calls, self.releaser)
        self.jobs = HeldJobs(self.attempts, self.context.slots)
        self.overrides = Overrides(store, self.context.gate)

    async def open(self) -> "Workshop":
        await self.context.lease.sign_on()
        await self.context.gate.begin(fresh=True)
        return self

    async def offer(self, count: int = 1) -> list[str]:
        """New jobs, in SQL and in their lane."""
        ids = self.scene.submit(count)
        await self.context.gate.offer(self.context.store.read(lane_heads, LANE, count))
        return ids

    async def start(self) -> tuple[Claimed, Permit]:
        """One more job that this worker runs."""
        await self.offer()
        permits, _ = await self.context.gate.fetch(LANE, 1, self.context.worker, PLAN)
        [claimed] = await self.context.writer.claim(self.context.worker, permits)
        return claimed, permits[0]

    def cut_off_sql(self) -> None:
        """From now on SQL does not answer."""

        def away(*_: object, **__: object) -> None:
            raise StorageUnavailable("sqlite", "it is away")

        self.context.store.write = self.context.store.read = away

    def in_flight(self, route_name: str = "anthropic/opus") -> int:
        """Calls that the gate counts on a route."""
        return self.connection.sync().zcard(self.connection.keys.slots(route_name))

    def waiting(self) -> list[str]:
        """Jobs in the lane's window."""
        return self.connection.sync().lrange(self.connection.keys.lane(LANE), 0, -1)


@pytest.fixture
async def workshop(tmp_path: Path) -> Iterator[Workshop]:
    made = await Workshop(tmp_path, fakeredis.FakeServer()).open()
    yield made
    made.context.writer.close()
    await made.context.gate.close()
    made.context.store.close()


async def until(holds: Callable[[], object]) -> None:
    """Let the other tasks go on until ``holds`` says yes."""
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110  what it waits for sets no event
            await asyncio.sleep(0)

"""Jobs leave by deadline, then by age: through window, refill, retry, reroute and hand-back."""

from collections.abc import AsyncIterator
from random import Random

import pytest_asyncio

from attempts import called
from holdfast.lanes import BacklogPart, Connection, Gate
from holdfast.model.fault import FaultKind
from holdfast.model.ids import new_id
from holdfast.model.job import Claimed, Priority, lane_name
from holdfast.model.step import Reroute
from holdfast.store import Store
from holdfast.store.backlog import lane_heads, release_due
from holdfast.store.claim import claim
from holdfast.store.fleet import register_worker
from holdfast.store.requeue import requeue
from holdfast.store.submit import submit_jobs
from holdfast.worker.lane_schedule import LaneSchedule, ScheduledLane
from lanes_twin import LANE, fault, fetch, plan, reply, route
from store.scene import Scene, failure, new_job, reroute, retry, success

WINDOW = 8
PLAN = plan(route(credentials=("main",)))


class House:
    """SQL and Redis, and one worker's part in them, one job at a time."""

    def __init__(self, scene: Scene, gate: Gate) -> None:
        self.scene, self.gate, self.left = scene, gate, list[str]()

    def submit(self, *patience: float | None) -> list[str]:
        """Submit and offer jobs, as a producer does; each is younger than the one before."""
        jobs = [new_job(id=f"{place:012x}{new_id()[12:]}", expires_in=each) for place, each in self._numbered(patience)]
        submit_jobs(self.scene.store, jobs)
        return [job.id for job in jobs]

    def _numbered(self, patience):
        first = len(self.scene.rows("select id from job"))
        return list(enumerate(patience, first))

    async def offer_heads(self) -> None:
        """What a refill does."""
        heads = self.scene.store.read(lane_heads, LANE, WINDOW)
        await self.gate.offer(heads, backlog=BacklogPart.PART if len(heads) == WINDOW else BacklogPart.ALL)

    async def take(self) -> Claimed | None:
        """Fetch one job and claim it."""
        fetched = await fetch(self.gate, LANE, 1, self.scene.worker, PLAN)
        if fetched.low:
            await self.offer_heads()
        if not fetched.permits:
            return None
        self.permit = fetched.permits[0]
        (claimed,) = self.scene.store.write(claim, self.scene.worker, fetched.permits)
        self.left.append(claimed.id)
        return claimed

    async def finish(self, claimed: Claimed) -> None:
        self.scene.finish(success(claimed))
        await self.gate.finish([called(self.permit, reply())])

    async def wait_for(self, claimed: Claimed, seconds: float) -> None:
        """The call failed; its job sleeps in SQL."""
        self.scene.finish(failure(claimed, retry(seconds)))
        await self.gate.finish([called(self.permit, fault(FaultKind.INTERNAL))])

    async def go_elsewhere(self, claimed: Claimed, step: Reroute) -> None:
        self.scene.finish(failure(claimed, step))
        await self.gate.finish([called(self.permit, fault(), step=step, need=claimed.need)])

    async def drain(self) -> list[str]:
        self.left.clear()
        idle = 0
        while idle < 3:
            if claimed := await self.take():
                await self.finish(claimed)
                idle = 0
            else:
                await self.offer_heads()
                idle += 1
        return self.left

    def in_order(self) -> list[str]:
        """What SQL says should leave, in which order."""
        waiting = "select id from job where state in ('queued', 'delayed') order by expires_at, id"
        return [row.id for row in self.scene.rows(waiting)]


@pytest_asyncio.fixture
async def house(store: Store, real: Connection) -> AsyncIterator[House]:
    gate = Gate(real, window=WINDOW)
    await gate.begin(fresh=True)
    yield House(Scene(store), gate)
    await gate.close()


def mixed(count: int, seed: int) -> list[float | None]:
    chance = Random(seed)
    return [chance.choice([None, None, 500.0, 900.0, 1_000.0 + n]) for n in range(count)]


async def test_a_backlog_many_times_the_window_leaves_in_order(house: House) -> None:
    house.submit(*mixed(60, seed=1))
    await house.offer_heads()
    wanted = house.in_order()
    assert await house.drain() == wanted


async def test_jobs_that_came_and_jobs_that_slept_during_an_outage_leave_in_one_order(house: House) -> None:
    house.submit(*mixed(40, seed=2))
    await house.offer_heads()
    for place in range(12):  # the outage
        claimed = await house.take()
        assert claimed is not None
        await house.wait_for(claimed, seconds=5.0 + place % 3)
    house.submit(*mixed(20, seed=3))
    await house.offer_heads()
    house.scene.pass_time(12.0)
    house.scene.store.write(register_worker, house.scene.worker, "host", 1, "1.0", lease=1_000.0)
    due = house.scene.store.write(release_due, 1_000)
    assert len(due) == 12
    await house.gate.offer(due)
    wanted = house.in_order()
    assert len(wanted) == 60
    assert await house.drain() == wanted


async def test_a_job_that_is_rerouted_takes_its_place_again(house: House) -> None:
    house.submit(600.0, 700.0, None, None)
    await house.offer_heads()
    first = await house.take()
    assert first is not None
    house.submit(300.0)
    await house.offer_heads()
    await house.go_elsewhere(first, reroute({"somewhere/else": None}))
    wanted = house.in_order()
    assert wanted.index(first.id) == 1
    assert await house.drain() == wanted


async def test_jobs_that_a_stopping_worker_hands_back_take_their_places_again(house: House) -> None:
    house.submit(*mixed(6, seed=4))
    await house.offer_heads()
    for _ in range(4):
        assert await house.take() is not None
    back = house.scene.store.write(requeue, house.scene.worker, None)
    await house.gate.release(house.scene.worker)
    await house.gate.offer(back)
    wanted = house.in_order()
    assert len(wanted) == 6
    assert await house.drain() == wanted


def test_interactive_lanes_are_asked_before_batch_lanes() -> None:
    names = [lane_name(model, priority) for model in ("a", "b") for priority in (Priority.BATCH, Priority.INTERACTIVE)]
    lanes = LaneSchedule(settings=None, providers=None, entries={name: ScheduledLane(name, PLAN) for name in names})
    assert [entry.name for entry in lanes.in_order()] == ["a.interactive", "b.interactive", "a.batch", "b.batch"]

"""Everybody at once: producers, workers that die, sweepers and operators. Then the books are right."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from holdfast.model.errors import NotFound
from holdfast.model.ids import new_id
from holdfast.model.job import TERMINAL, Claimed, State
from holdfast.model.records import JobFilter
from holdfast.model.step import Bury, Complete
from holdfast.store import Store
from holdfast.store.backlog import lane_heads, release_due
from holdfast.store.batches import count_unfinished, open_batch
from holdfast.store.cancel import cancel_job, expire_due
from holdfast.store.claim import claim
from holdfast.store.finish import finish
from holdfast.store.fleet import take_over
from holdfast.store.jobs import count_jobs, list_jobs
from holdfast.store.operation_pages import work_off
from holdfast.store.operations import BulkAction, open_operation
from holdfast.store.submit import submit_jobs
from store.scene import Scene, bury, failure, new_job, permit, reroute, retry, snooze, success

THREADS = 6
ROUNDS = 50
ENDS = (Complete, Bury)
SETTLE_WAYS = (
    success,
    success,
    lambda held: failure(held, bury()),
    lambda held: failure(held, retry(0)),
    lambda held: failure(held, retry(0.001)),
    lambda held: failure(held, retry(9000)),  # beyond the deadline
    lambda held: failure(held, snooze(0.002)),
    lambda held: failure(held, reroute({"a/b": 1.0})),
)


class Storm:
    """What one thread does, with a store of its own as another process would have."""

    def __init__(self, url: str, seed: int, batch: str) -> None:
        self.store = Store(url)
        self.scene = Scene(self.store)
        self.chance = random.Random(seed)
        self.batch = batch
        self.worker = self.scene.worker
        self.held: list[Claimed] = []
        self.settled: list[Claimed] = []
        self.ended: Counter[tuple[str, int]] = Counter()  # generations that this thread was told it had ended

    def run(self) -> Counter[tuple[str, int]]:
        acts = (self.submit, self.claim, self.claim, self.settle, self.settle, self.settle_late, self.cancel)
        rare = (self.die, self.sweep, self.replay, self.drop)
        for _ in range(ROUNDS):
            self.chance.choice(rare if self.chance.random() < 0.2 else acts)()
        self.store.close()
        return self.ended

    def submit(self) -> None:
        submit_jobs(self.store, [new_job(batch=self.batch, expires_in=3600.0) for _ in range(8)])

    def claim(self) -> None:
        offers = self.store.read(lane_heads, "smart.batch", 24)
        chosen = self.chance.sample(offers, min(6, len(offers)))
        self.held += self.store.write(claim, self.worker, [permit(offer.id) for offer in chosen])

    def settle(self) -> None:
        self.chance.shuffle(self.held)
        now, self.held = self.held[:6], self.held[6:]
        attempts = [self.chance.choice(SETTLE_WAYS)(held) for held in now]
        for attempt, won in zip(attempts, self.store.write(finish, attempts), strict=True):
            if won and isinstance(attempt.step, ENDS):
                self.ended[attempt.job.id, attempt.job.generation] += 1
        self.settled += now

    def settle_late(self) -> None:
        late = [success(held) for held in self.settled[-4:]]
        assert not any(self.store.write(finish, late))

    def cancel(self) -> None:
        for job in self.chance.sample(self.store.read(list_jobs, JobFilter(), limit=40), 2) if self.held else ():
            try:
                self.store.write(cancel_job, job.id)
            except NotFound:
                continue  # another thread has dropped it

    def die(self) -> None:
        self.scene.sql("update worker set lease_until = 1 where id = :id", id=self.worker)
        self.worker = self.scene.hire()

    def sweep(self) -> None:
        self.store.write(take_over)
        self.store.write(release_due, 20)
        self.store.write(expire_due, 20)

    def replay(self) -> None:
        self.act(BulkAction.REPLAY, JobFilter(states=frozenset({State.DEAD, State.EXPIRED})), 5, 6_000_000)

    def drop(self) -> None:
        self.act(BulkAction.DROP, JobFilter(), 2)

    def act(self, action: BulkAction, where: JobFilter, limit: int, per_minute: float | None = None) -> None:
        work_off(self.store, self.store.write(open_operation, action, where, limit, "me", per_minute))


def bring_to_an_end(scene: Scene) -> None:
    """The storm is over: dead workers' jobs come back, delayed ones are released, and every job gets its reply."""
    scene.pass_time(60)
    worker = scene.hire()
    while live := scene.store.read(count_jobs, JobFilter(states=frozenset(State) - TERMINAL)):
        scene.store.write(take_over)
        scene.store.write(release_due, 1000)
        offers = scene.store.read(lane_heads, "smart.batch", 1000)
        scene.finish(*(success(held) for held in scene.claim(*(offer.id for offer in offers), worker=worker)))
        assert scene.store.read(count_jobs, JobFilter(states=frozenset(State) - TERMINAL)) < live


@pytest.mark.parametrize("seed", [1, 2])
def test_after_a_storm_every_job_has_exactly_one_terminal_record(store: Store, scene: Scene, seed: int) -> None:
    url = store._url.render_as_string(hide_password=False)
    batch = store.write(open_batch, new_id(), "storm", "default").id
    storms = [Storm(url, 1000 * seed + number, batch) for number in range(THREADS)]
    for storm in storms:
        storm.submit()
    with ThreadPoolExecutor(THREADS) as pool:
        ended = sum((run.result() for run in [pool.submit(storm.run) for storm in storms]), Counter())
    assert not scene.broken()
    assert max(ended.values()) == 1, "two workers were told that they had ended the same generation"
    bring_to_an_end(scene)
    assert not scene.broken()
    assert store.read(count_unfinished, batch) == 0
    doubled = scene.rows("select job from result group by job, generation having count(*) > 1")
    unended = scene.rows(
        "select id from job where not exists (select 1 from result"
        " where result.job = job.id and result.generation = job.generation and result.state = job.state)"
    )
    assert (doubled, unended) == ([], [])
    assert scene.rows("select 1 from attempt where ended_at is null") == []

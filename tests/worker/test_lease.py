"""A process that was frozen for longer than its lease makes no call when it wakes."""

import asyncio
import sqlite3

import pytest

from clocks import CrankedClock
from holdfast.store import Store
from holdfast.store.fleet import renew_lease, take_over
from holdfast.testing import PRODUCTION, Clock
from holdfast.worker.dependency_health import DependencyHealth
from holdfast.worker.lease import Lease


class Moving(CrankedClock):
    """A clock to crank by hand."""

    def __init__(self) -> None:
        super().__init__(lambda: self.at)
        self.at = 100.0


@pytest.fixture
def lease(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/holdfast.db")
    store.ensure()
    yield Lease(store, DependencyHealth(), seconds=15.0, clock=Moving())
    store.close()


def test_a_lease_that_was_never_asked_for_is_not_held(lease):
    assert not lease.held


async def test_a_lease_is_held_from_sign_on_until_it_runs_out(lease):
    await lease.sign_on()
    lease.clock.at += 14.9
    assert lease.held
    lease.clock.at += 0.2
    assert not lease.held


async def test_what_was_claimed_under_a_lost_lease_is_not_covered_by_the_next_one(lease):
    before = await lease.sign_on()
    assert lease.covers(before)
    after = await lease.sign_on()
    assert lease.covers(after)
    assert not lease.covers(before)


async def test_a_lease_is_fresh_only_while_nobody_else_can_have_lost_theirs_for_want_of_sql(lease):
    """Others' leases were up to a third gone when SQL last let anybody write, which was after ours was asked for."""
    await lease.sign_on()
    lease.clock.at += 7.4
    assert lease.fresh
    lease.clock.at += 0.2
    assert lease.held
    assert not lease.fresh


async def test_what_delays_a_take_over_after_its_question_makes_nobody_s_lease_look_older(lease, monkeypatch):
    """A host that stood still in the middle of it (a virtual machine was moved) goes on with SQL's time from before."""
    await lease.sign_on()
    now = [PRODUCTION.clock.now_micros()]
    monkeypatch.setattr(Clock, "now_micros", lambda _: now[0])

    def stands_still() -> bool:
        now[0] += 60_000_000
        return True

    assert lease.store.write(take_over, stands_still) == []
    assert [taken.worker for taken in lease.store.write(take_over, lambda: True)] == [lease.worker]


async def test_nobody_is_taken_over_when_a_lock_kept_everybody_from_renewing(lease, tmp_path):
    """A process was stopped inside its transaction: SQLite lets nobody write, and all leases run out together."""
    us, neighbour = lease, Lease(lease.store, DependencyHealth(), seconds=0.3)
    us.seconds, us.clock = 0.3, PRODUCTION.clock
    await us.sign_on()
    await neighbour.sign_on()
    stopped = sqlite3.connect(tmp_path / "holdfast.db", isolation_level=None)
    stopped.execute("begin immediate")
    taking = asyncio.create_task(asyncio.to_thread(us.store.write, take_over, lambda: us.fresh))
    while us.held or neighbour.held:  # noqa: ASYNC110  a lease says nothing when it runs out
        await asyncio.sleep(0.01)
    stopped.execute("commit")
    stopped.close()
    assert await taking == []
    assert us.store.write(renew_lease, neighbour.worker, 60)
    assert us.store.write(renew_lease, us.worker, 60)

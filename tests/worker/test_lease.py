"""A process that was frozen for longer than its lease makes no call when it wakes."""

import pytest

from holdfast.store import Store
from holdfast.worker.footing import Footing
from holdfast.worker.lease import Lease


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def lease(tmp_path):
    store = Store(f"sqlite:///{tmp_path}/holdfast.db")
    store.ensure()
    yield Lease(store, Footing(), seconds=15.0, clock=Clock())
    store.close()


def test_a_lease_that_was_never_asked_for_is_not_held(lease):
    assert not lease.held


async def test_a_lease_is_held_from_sign_on_until_it_runs_out(lease):
    await lease.sign_on()
    lease.clock.now += 14.9
    assert lease.held
    lease.clock.now += 0.2
    assert not lease.held


async def test_what_was_claimed_under_a_lost_lease_is_not_covered_by_the_next_one(lease):
    before = await lease.sign_on()
    assert lease.covers(before)
    after = await lease.sign_on()
    assert lease.covers(after)
    assert not lease.covers(before)

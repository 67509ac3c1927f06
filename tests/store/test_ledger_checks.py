"""All processes together count the ledger once in a while, and each sees what the last count found."""

import pytest

from holdfast.client.ledger_check import count
from holdfast.store import Store
from holdfast.store.ledger_checks import (
    EVERY,
    LEASE,
    SHARE,
    LedgerCheckRecord,
    claim_ledger_check,
    keep_ledger_check,
    read_ledger_check,
)
from store.scene import Scene


@pytest.fixture
def scene(store: Store) -> Scene:
    return Scene(store)


def pass_time(scene: Scene, seconds: float) -> None:
    scene.sql(f"update ledger_check set next_at = next_at - {round(seconds * 1_000_000)}")


def test_before_the_first_count_nothing_is_broken_and_one_is_due(store: Store) -> None:
    assert store.read(read_ledger_check) == LedgerCheckRecord(None, (), due=True)


def test_one_process_counts_at_a_time(store: Store) -> None:
    assert store.write(claim_ledger_check) is True
    assert store.write(claim_ledger_check) is False
    assert store.read(read_ledger_check).due is False


def test_a_count_whose_process_died_is_made_by_another(scene: Scene) -> None:
    scene.store.write(claim_ledger_check)
    pass_time(scene, LEASE)
    assert scene.store.write(claim_ledger_check) is True


@pytest.mark.parametrize(("took", "rest"), [(0.01, EVERY), (3.0, 3.0 * SHARE)])
def test_the_next_count_waits_a_hundred_times_as_long_as_the_last_took(scene: Scene, took: float, rest: float) -> None:
    scene.store.write(claim_ledger_check)
    scene.store.write(keep_ledger_check, ["a rule"], took)
    pass_time(scene, rest - 5)
    found = scene.store.read(read_ledger_check)
    assert (found.broken, found.due) == (("a rule",), False)
    assert found.checked_at is not None
    pass_time(scene, 10)
    assert scene.store.read(read_ledger_check).due is True


def test_a_count_finds_what_tallies_cannot_and_sees_it_mended(scene: Scene) -> None:
    [job] = scene.submit(1)
    scene.sql("insert into result (job, generation, fence, state, cost_micros, attempts, created_at)"
                  f" values ('{job}', 1, 1, 'dead', 0, 1, 1)")  # fmt: skip
    scene.store.write(claim_ledger_check)
    count(scene.store)
    broken = scene.store.read(read_ledger_check).broken
    assert any(rule.startswith("one terminal record") for rule in broken)
    scene.sql(f"delete from result where job = '{job}'")
    count(scene.store)
    assert scene.store.read(read_ledger_check).broken == ()

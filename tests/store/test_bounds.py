"""Figures that a provider invents stay within bounds, and one bad row blinds neither the ledger nor the metrics."""

import pytest
from sqlalchemy import exc, text

from holdfast.model.bounds import MOST_COST, MOST_COUNTED, MOST_TOKENS
from holdfast.model.errors import StorageUnavailable
from holdfast.model.job import State
from holdfast.model.records import JobFilter
from holdfast.model.reply import Reply, Usage
from holdfast.model.route import Price
from holdfast.model.step import Complete
from holdfast.store import Store
from holdfast.store.counters import read_counters
from holdfast.store.jobs import find_detail
from holdfast.store.ledger import read_ledger
from holdfast.store.transaction import Transaction
from store.scene import REPLY, ROUTE, Scene, bury, ended, failure, permit, success

COUNTED = "insert into counter (name, labels, shard, amount) values ('cost', '[\"a/b\"]', :shard, :n)"
TALLIED = "insert into tally (kind, name, state, shard, jobs) values ('total', 'dropped_calls', '', :shard, :n)"
LARGEST = 2**63 - 1  # that a column holds
INVENTED = Usage(input=2**64, output=2**70)


def invented(scene: Scene) -> str:
    """A job that succeeded with figures which no model can have counted."""
    claimed = scene.start()
    reply: Reply = REPLY.model_copy(update={"usage": INVENTED})
    scene.finish(ended(claimed, permit(claimed.id), reply, Complete(), price=Price(15.0, 75.0)))
    return claimed.id


def figures(scene: Scene) -> dict[str, int]:
    return dict(next(line.figures for line in scene.store.read(read_ledger) if line.name == "I7"))


def test_what_a_provider_invents_is_bounded_in_every_sum_and_kept_as_told_beside_it(scene: Scene) -> None:
    jobs = [invented(scene) for _ in range(3)]
    assert scene.broken() == []
    assert figures(scene)["input_tokens"] == 3 * MOST_TOKENS
    assert figures(scene)["cost_micros"] == 3 * MOST_COST
    counters = scene.store.read(read_counters)
    assert counters.of("tokens")[ROUTE, "output"] == 3 * MOST_TOKENS
    assert counters.of("cost")[(ROUTE,)] == 3 * MOST_COST
    detail = scene.store.read(find_detail, jobs[0])
    assert detail is not None
    assert detail.attempts[0].usage == INVENTED


def test_what_was_dropped_with_invented_figures_stays_in_bounds(scene: Scene) -> None:
    claimed = scene.start()
    scene.finish(failure(claimed, bury()))
    scene.sql("update attempt set input_tokens = :n, output_tokens = :n, cost_micros = :n", n=LARGEST)
    assert scene.drop(JobFilter(), 10, "me") == 1
    assert figures(scene)["input_tokens"] == MOST_TOKENS


def test_rows_that_earlier_versions_wrote_blind_nobody(scene: Scene) -> None:
    for _ in range(3):
        scene.held_in(State.SUCCEEDED)
    scene.sql("update attempt set input_tokens = :n, output_tokens = :n, cost_micros = :n", n=LARGEST)
    scene.sql("update counter set amount = :n where name = 'tokens'", n=LARGEST)
    for shard in (1, 2):
        scene.sql(COUNTED, n=LARGEST, shard=shard)
        scene.sql(TALLIED, n=LARGEST, shard=shard)
    assert figures(scene)["cost_micros"] == 3 * MOST_COST
    assert scene.store.read(read_counters).of("cost")["a/b",] == 2 * MOST_COUNTED
    assert scene.broken() == []


def test_a_job_whose_calls_cost_the_largest_figure_can_still_be_ended(scene: Scene) -> None:
    claimed = scene.start()
    scene.sql("update attempt set cost_micros = :n", n=LARGEST)
    scene.sql(
        "insert into attempt (job, generation, number, route, credential, fence, worker, started_at, input_tokens,"
        " output_tokens, cost_micros) select job, generation, 9, route, credential, fence, worker, started_at, 0, 0, :n"
        " from attempt",
        n=LARGEST,
    )
    assert scene.finish(success(claimed)) == [True]


def test_a_counter_stops_at_its_bound(scene: Scene) -> None:
    def count(amount: int) -> None:
        scene.store.write(lambda tx: tx.count("tokens", "r", "input", amount=amount))

    count(1)
    scene.sql("update counter set amount = :n", n=LARGEST)
    count(5)
    assert scene.rows("select amount from counter")[0].amount == MOST_COUNTED
    count(-3)
    assert scene.rows("select amount from counter")[0].amount == MOST_COUNTED - 3


def test_a_duration_that_a_clock_invents_is_bounded(scene: Scene) -> None:
    claimed = scene.start()
    scene.finish(success(claimed, seconds=1e300))
    assert scene.rows("select micros from attempt")[0].micros < 2**62


def test_a_statement_that_overflows_is_no_database_that_is_away(store: Store) -> None:
    def overflow(tx: Transaction) -> None:
        tx.connection.execute(text("select abs(-9223372036854775807 - 1)"))

    with pytest.raises(exc.DBAPIError) as caught:
        store.read(overflow)
    assert not isinstance(caught.value, StorageUnavailable)

"""The ends of orders: once all their jobs have ended, what they came to is kept, for retention deletes jobs."""

from collections.abc import Mapping, Sequence

import orjson

from holdfast.model.job import LIVE, State
from holdfast.store.batch_ends import tell_ends
from holdfast.store.batches import count_states
from holdfast.store.sql import ENDED, Statement
from holdfast.store.store import Store
from holdfast.store.transaction import Transaction

END = Statement("""
    update batch_order set ended_at = :ended_at, final_counts = :counts, usage = :usage, model = :model
    where batch = :batch and ended_at is null and read_at is not null
    returning tenant
""")
LAST_END = Statement("select max(finished_at) as at from job where batch = :batch and finished_at is not null")
KINDS = ("input", "output", "cached", "cache_written", "reasoning")  # of a Usage; those that are 0 are not written
TOKENS = "cast(coalesce(cast(result.usage as $json)->>'{0}', '0') as numeric)"
SUMS = ", ".join(f"cast(sum($least({TOKENS.format(kind)}, $most_tokens)) as bigint) as {kind}" for kind in KINDS)
# Of jobs that have ended: the index of those by batch is the one there is.
ANSWERS = Statement(f"""
    select result.route, {SUMS}
    from job join result on result.job = job.id and result.generation = job.generation
    where job.batch = :batch and job.batch is not null and job.state in ({ENDED}) and result.state = 'succeeded'
    group by result.route
""")  # noqa: S608 - names and states are ours


def end_orders(store: Store, batches: Sequence[str]) -> int:
    """Close those that have been read and whose jobs have all ended, and keep what they came to. Answers how many.

    What was answered does not change any more, and is summed up before the transaction that others wait for.
    """
    return sum(store.write(_end, batch, *store.read(read_answers, batch)) for batch in batches)


def read_answers(tx: Transaction, batch: str) -> tuple[str | None, str | None]:
    """Return the tokens of all answers to jobs of a batch, JSON of a Usage, and the one model that gave them.

    Each is None where there is none.
    """
    routes = tx.run(ANSWERS, batch=batch)
    usage = {kind: tokens for kind in KINDS if (tokens := sum(getattr(row, kind) for row in routes))}
    models = {row.route.partition("/")[2] for row in routes}
    return (orjson.dumps(usage).decode() if routes else None), (models.pop() if len(models) == 1 else None)


def _end(tx: Transaction, batch: str, usage: str | None, model: str | None) -> int:
    counts = count_states(tx, [batch])[batch]
    if any(jobs for state, jobs in counts.items() if state in LIVE):
        return 0
    last, kept = tx.run(LAST_END, batch=batch)[0].at or tx.now, _written(counts)
    for row in tx.run(END, batch=batch, ended_at=last, counts=kept, usage=usage, model=model):
        tell_ends(tx, {batch: row.tenant}, {batch: counts})
    return 1


def _written(counts: Mapping[State, int]) -> str:
    return orjson.dumps({state.value: jobs for state, jobs in counts.items()}).decode()

"""The ledger: the promises of docs/guarantees.md that SQL can check, counted afresh from the rows, on one snapshot."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from holdfast.model.job import LIVE, State
from holdfast.model.records import LedgerLine
from holdfast.store.backlog import list_lanes
from holdfast.store.micros import MICROS
from holdfast.store.sql import Statement
from holdfast.store.transaction import Transaction

OFFENDERS = 100  # ids shown of those that break a line
IDLE = 30 * MICROS  # a due job may wait so long for a sweeper
ORPHANED = 60 * MICROS  # and the jobs of a killed worker so long

STATES = Statement("select state, count(*) as jobs from job group by state")
TOTALS = Statement("""
    select name, sum($least(jobs, $most_counted)) as amount from tally where kind = 'total' group by name
""")
CALLS = Statement("""
    select count(*) as calls, coalesce(sum($least(input_tokens, $most_tokens)), 0) as input_tokens,
        coalesce(sum($least(output_tokens, $most_tokens)), 0) as output_tokens,
        coalesce(sum($least(cost_micros, $most_cost)), 0) as cost_micros,
        count(case when outcome = 'unknown' then 1 end) as unknown, count(case when ended_at is null then 1 end) as open
    from attempt
""")
SWEEPING = Statement("""
    select count(*) as workers from worker where stopped_at is null and lease_until > :now and started_at <= :since
""")
# I1: ended without a record, recorded without having ended, or recorded as something else.
UNRECORDED = Statement("""
    select job.id from job left join result on result.job = job.id and result.generation = job.generation
    where (job.state in ('queued', 'delayed', 'running') and result.job is not null)
    or (job.state not in ('queued', 'delayed', 'running') and (result.job is null or result.state <> job.state))
    limit :limit
""")
# I2: one record for each generation that ended, the last under the job's own fence.
MISRECORDED = Statement("""
    select id from job
    where (select count(*) from result where result.job = job.id)
        <> job.generation - case when job.finished_at is null then 1 else 0 end
    or exists (
        select 1 from result
        where result.job = job.id and result.generation = job.generation and result.fence <> job.fence
    )
    limit :limit
""")
# I5: calls that nobody makes and nobody has ended, running jobs whose call has no row, and claims without their row.
UNACCOUNTED_CALLS = Statement("""
    select attempt.job as id from attempt where ended_at is null and not exists (
        select 1 from worker where worker.id = attempt.worker and coalesce(stopped_at, lease_until) > :since
    )
    union
    select job.id from job where state = 'running' and not exists (
        select 1 from attempt where attempt.job = job.id and attempt.fence = job.fence
        and attempt.generation = job.generation and attempt.number = job.number and attempt.worker = job.worker
    )
    union
    select job.id from job where number > 0 and number <> (
        select count(*) from attempt where attempt.job = job.id and attempt.generation = job.generation
    )
    limit :limit
""")
# I7: a reply whose usage is not the one in the row of the call that brought it; a record that cost more than its calls.
# Less is right: the end of a call that was given up may have come later.
UNPAID = Statement("""
    select result.job as id from result where state = 'succeeded' and not exists (
        select 1 from attempt where attempt.job = result.job and attempt.generation = result.generation
        and attempt.fence = result.fence and attempt.outcome = 'succeeded' and attempt.usage = result.usage
    )
    union
    select result.job from result where cost_micros > (
        select coalesce(sum($least(cost_micros, $most_cost)), 0) from attempt
        where attempt.job = result.job and attempt.generation = result.generation
    )
    limit :limit
""")
# I8: due and not released, past the deadline and not expired, held by a worker long gone.
OVERDUE = Statement("""
    select id from job where state = 'delayed' and available_at <= :idle_since
    union
    select id from job where state in ('queued', 'delayed') and expires_at < $never and expires_at <= :idle_since
    union
    select id from job where state = 'running' and not exists (
        select 1 from worker where worker.id = job.worker and coalesce(stopped_at, lease_until) > :orphaned_since
    )
    limit :limit
""")
DRIFT = Statement("""
    select kind, name, state, cast(sum(jobs) as bigint) as drift from (
        select kind, name, state, jobs from tally where kind <> 'total'
        union all select 'lane', lane, state, -count(*) from job group by lane, state
        union all select 'batch', batch, state, -count(*) from job where batch is not null group by batch, state
    ) as counted
    group by kind, name, state having sum(jobs) <> 0 order by kind, name, state limit :limit
""")


def read_totals(tx: Transaction) -> dict[str, int]:
    """Figures that only grow: ``accepted``, ``dropped`` and what was spent on the dropped ones."""
    return {row.name: int(row.amount) for row in tx.run(TOTALS)}


def read_equation(tx: Transaction) -> tuple[int, int, dict[State, int]]:
    """Jobs accepted, jobs dropped, and the others by state, as the running tallies of one moment have them."""
    totals, counts = read_totals(tx), Counter[State]()
    for lane in list_lanes(tx):
        counts.update(lane.counts)
    return totals.get("accepted", 0), totals.get("dropped", 0), dict(counts)


def read_ledger(tx: Transaction) -> list[LedgerLine]:
    """Every line, whether it holds or not. Reads every row once: seconds at a million jobs."""
    totals = read_totals(tx)
    calls = {name: int(value) for name, value in tx.run(CALLS)[0]._asdict().items()}
    swept = tx.run(SWEEPING, now=tx.now, since=tx.now - ORPHANED)[0].workers > 0
    return [
        _accepted(tx, totals),
        _recorded_once(tx),
        _calls_accounted_for(tx, calls, swept=swept),
        _usage(tx, calls, totals),
        _nothing_overdue(tx, swept=swept),
        _tally(tx),
    ]


def _accepted(tx: Transaction, totals: Mapping[str, int]) -> LedgerLine:
    counts = {row.state: int(row.jobs) for row in tx.run(STATES)}
    figures = {
        "accepted": totals.get("accepted", 0),
        **{state.value: counts.get(state, 0) for state in State if state not in LIVE},
        "live": sum(counts.get(state, 0) for state in LIVE),
        "dropped": totals.get("dropped", 0),
    }
    balanced = figures["accepted"] == sum(figures.values()) - figures["accepted"]
    sentence = "accepted = succeeded + dead + cancelled + expired + live + dropped; every ended job has its record"
    return _line("I1", sentence, figures, tx.run(UNRECORDED, limit=OFFENDERS), also=balanced)


def _recorded_once(tx: Transaction) -> LedgerLine:
    sentence = "one terminal record per generation that ended, under the job's fence"
    return _line("I2", sentence, {}, tx.run(MISRECORDED, limit=OFFENDERS))


def _calls_accounted_for(tx: Transaction, calls: Mapping[str, int], *, swept: bool) -> LedgerLine:
    sentence = "every call has a row from before its send, and an end once its worker is gone"
    since = tx.now - ORPHANED if swept else 0
    offenders = tx.run(UNACCOUNTED_CALLS, since=since, limit=OFFENDERS)
    return _line("I5", sentence, {name: calls[name] for name in ("calls", "open", "unknown")}, offenders)


def _usage(tx: Transaction, calls: Mapping[str, int], totals: Mapping[str, int]) -> LedgerLine:
    names = ("calls", "input_tokens", "output_tokens", "cost_micros")
    figures = {name: calls[name] + totals.get(f"dropped_{name}", 0) for name in names}
    sentence = "tokens and cost of all calls, as providers told them; unknown calls may have cost more"
    return _line("I7", sentence, {**figures, "unknown": calls["unknown"]}, tx.run(UNPAID, limit=OFFENDERS))


def _nothing_overdue(tx: Transaction, *, swept: bool) -> LedgerLine:
    """While no worker lives nobody can wake anything: then nothing is held against the line."""
    offenders = (
        tx.run(OVERDUE, idle_since=tx.now - IDLE, orphaned_since=tx.now - ORPHANED, limit=OFFENDERS) if swept else ()
    )
    sentence = "no due job idle for 30 s, no job held by a worker that died 60 s ago"
    return _line("I8", sentence, {"sweeping": int(swept)}, offenders)


def _tally(tx: Transaction) -> LedgerLine:
    drifts = tx.run(DRIFT, limit=OFFENDERS)
    names = tuple(f"{row.kind} {row.name} {row.state}: {row.drift:+d}" for row in drifts)
    sentence = "the running counts of lanes and batches equal the rows"
    return LedgerLine("tally", sentence, holds=not names, figures={"drifts": len(names)}, offenders=names)


def _line(name: str, sentence: str, figures: Mapping[str, int], offenders: Any, *, also: bool = True) -> LedgerLine:
    ids = tuple(sorted(row.id for row in offenders))
    return LedgerLine(name, sentence, holds=also and not ids, figures={**figures, "offenders": len(ids)}, offenders=ids)

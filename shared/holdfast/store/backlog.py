"""What waits: heads of lanes, delayed jobs whose date has come, and the counts of every lane."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import orjson

from holdfast.model.job import Offer, State
from holdfast.model.records import LaneCounts
from holdfast.store.codec import decode_need
from holdfast.store.micros import to_micros, to_seconds
from holdfast.store.overrides import read_overrides
from holdfast.store.sql import Statement
from holdfast.store.transaction import Transaction

HEADS = Statement("""
    select id, lane, input_tokens, output_tokens, avoid, expires_at from job
    where lane = :lane and state = 'queued' and expires_at > :now
    order by expires_at, id limit :limit
""")
WITH_DEADLINE = Statement("""
    select coalesce(not_before, created_at) as since from job
    where lane = :lane and state = 'queued' and expires_at > :now order by expires_at, id limit :limit
""")
WITHOUT_DEADLINE = Statement("""
    select coalesce(not_before, created_at) as since from job
    where lane = :lane and state = 'queued' and expires_at = $never order by id limit :limit
""")
AVOIDED = Statement("""
    select avoid, count(*) as jobs from (
        select avoid from job where lane = :lane and state = 'queued' order by expires_at, id limit :limit
    ) as heads
    where avoid is not null group by avoid
""")
OFFER = Statement("""
    select id, lane, input_tokens, output_tokens, avoid, expires_at from job
    where id = :id and state in ('queued', 'delayed')
""")
DUE = Statement("""
    select id from job where state = 'delayed' and available_at <= :now
    order by available_at limit :limit $skip_locked
""")
RELEASE = Statement("""
    update job set state = 'queued', available_at = null
    where id in ($ids) and state || '' = 'delayed' and available_at <= :now and expires_at > :now
    returning id, lane, batch, input_tokens, output_tokens, avoid, expires_at
""")
LANES = Statement("""
    select name, state, cast(sum(jobs) as bigint) as jobs from tally where kind = 'lane'
    group by name, state order by name, state
""")
DEADLINES = Statement("""
    select lane, expires_at from job
    where state in ('queued', 'delayed') and expires_at < $never and expires_at <= :until
    order by expires_at limit :limit
""")
REASONS = Statement("""
    select lane, why_waiting, count(*) as jobs from (
        select lane, why_waiting from job where state = 'delayed' order by available_at limit :limit
    ) as nearest
    group by lane, why_waiting order by jobs desc
""")

# With a limit SQLite reads the inner part by its index, instead of all jobs in the order of lanes.
SCHEDULED_LATER = Statement("""
    select lane, count(*) as jobs from (
        select lane from job where state = 'delayed' and not_before is not null and not_before > :now
        order by not_before limit :most
    ) as later
    group by lane
""")
LOOKED_AT = 20  # jobs at the head of a lane, of which the oldest is looked for
MOST_SCHEDULED = 1_000_000  # jobs for later that are counted


def lane_heads(tx: Transaction, lane: str, limit: int) -> list[Offer]:
    """The first queued jobs of a lane: nearest deadline, then oldest."""
    return offers_of(tx.run(HEADS, lane=lane, limit=limit, now=tx.now))


def avoided_by_heads(tx: Transaction, lane: str, limit: int) -> Counter[frozenset[str]]:
    """Count what the first queued jobs of a lane must not take now: sets of routes and credentials, not the empty one.

    Jobs that may take none of the routes that are free are passed by the others, and so gather at the lane's head.
    """
    found: Counter[frozenset[str]] = Counter()
    for row in tx.run(AVOIDED, lane=lane, limit=limit):
        avoided = ((name, tx.now + 1 if date is None else date) for name, date in orjson.loads(row.avoid).items())
        found[frozenset(name for name, date in avoided if date > tx.now)] += int(row.jobs)
    del found[frozenset()]
    return found


def find_offer(tx: Transaction, id_: str) -> Offer | None:
    """A waiting job as its lane needs it; None where it does not wait."""
    return next(iter(offers_of(list(tx.run(OFFER, id=id_)))), None)


def oldest_wait(tx: Transaction, lane: str) -> float:
    """Return the seconds for which the oldest queued job of a lane could have started; 0 where none is queued.

    Looked at are the first of those with a deadline, and of those without one.
    """
    heads = (
        *tx.run(WITH_DEADLINE, lane=lane, limit=LOOKED_AT, now=tx.now),
        *tx.run(WITHOUT_DEADLINE, lane=lane, limit=LOOKED_AT),
    )
    since = min((row.since for row in heads), default=tx.now)
    return max(0.0, to_seconds(tx.now - since))


def count_scheduled(tx: Transaction) -> dict[str, int]:
    """Count by lane the jobs that may not start yet, by the wish of their producers."""
    return {row.lane: int(row.jobs) for row in tx.run(SCHEDULED_LATER, now=tx.now, most=MOST_SCHEDULED)}


def release_due(tx: Transaction, limit: int) -> list[Offer]:
    """Queue delayed jobs whose date has come. Each is released by one caller only."""
    ids = [row.id for row in tx.run(DUE, limit=limit, now=tx.now)]
    rows = tx.run(RELEASE, ids=ids, now=tx.now) if ids else ()
    for row in rows:
        tx.moved(row.lane, row.batch, State.DELAYED, State.QUEUED)
    return offers_of(rows)


def offers_of(rows: Sequence[Any]) -> list[Offer]:
    """Rows of jobs as the lanes need them."""
    return [Offer(row.id, row.lane, decode_need(row)) for row in rows]


def list_lanes(tx: Transaction) -> list[LaneCounts]:
    """Every lane that ever had a job, and every paused one."""
    paused = {name for (kind, name), value in read_overrides(tx).items() if kind == "lane" and value == "paused"}
    counts: dict[str, dict[State, int]] = {name: {} for name in paused}
    for row in tx.run(LANES):
        counts.setdefault(row.name, {})
        if row.jobs:
            counts[row.name][State(row.state)] = row.jobs
    return [LaneCounts(name, counts[name], name in paused) for name in sorted(counts)]


def nearest_deadlines(tx: Transaction, within: float, limit: int) -> dict[str, list[float]]:
    """Seconds until the deadlines of waiting jobs that end ``within`` seconds, nearest first, by lane."""
    found: dict[str, list[float]] = {}
    for row in tx.run(DEADLINES, until=tx.now + to_micros(within), limit=limit):
        found.setdefault(row.lane, []).append(to_seconds(row.expires_at - tx.now))
    return found


def delayed_reasons(tx: Transaction, look: int) -> list[tuple[str, str | None, int]]:
    """Lane, reason, and how many of the ``look`` delayed jobs that start next wait for it; most frequent first."""
    return [(row.lane, row.why_waiting, int(row.jobs)) for row in tx.run(REASONS, limit=look)]

"""Counters: what became of calls and jobs, kept by the transactions that wrote it, read without counting a row."""

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from holdfast.model.attempt import Attempt
from holdfast.model.bounds import MOST_COST, MOST_MICROS, MOST_TOKENS, bounded
from holdfast.model.exception_fault import is_exception
from holdfast.model.fault import Fault
from holdfast.policy.fault_rules import outcome_of
from holdfast.store.micros import MICROS
from holdfast.store.sql import Statement
from holdfast.store.transaction import Transaction

READ = Statement("""
    select name, labels, sum($least(amount, $most_counted)) as amount from counter group by name, labels
""")
KNOWN_CODES = Statement("select distinct labels from counter where name = 'unknown_codes'")
LANES_DEAD = Statement("""
    select cast(coalesce(sum(jobs), 0) as bigint) as jobs from tally where kind = 'lane' and state = 'dead'
""")
DEAD = Statement("select fault, count(*) as jobs from job where state = 'dead' group by fault")
RECOUNT_DEAD = Statement("""
    insert into counter (name, labels, shard, amount)
    select 'dead', labels, 0, sum(amount) from (
        select labels, -amount as amount from counter where name = 'dead'
        union all
        select '["' || fault || '"]', count(*) from job where state = 'dead' and fault is not null group by fault
    ) as counted
    group by labels having sum(amount) <> 0
    on conflict (name, labels, shard) do update set amount = counter.amount + excluded.amount
""")
PACE = Statement("select lane, at, cast(sum(ended) as bigint) as ended from pace where at >= :since group by lane, at")
PRUNE = Statement("delete from pace where at < :before")

BOUNDS = (0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14400, 86400)  # seconds
OVERFLOW = "+Inf"
MOST_CODES = 40  # per provider; whatever else it says is counted as OTHER
OTHER = "other"
NAMEABLE = re.compile(r"[\w.:-]{1,60}", re.ASCII)
Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Histogram:
    """``buckets``: upper bound in seconds as text, and how many were at most so long. ``sum`` in seconds."""

    buckets: Sequence[tuple[str, int]]
    sum: float


@dataclass(frozen=True, slots=True)
class Counters:
    """Every counter by name and labels; those that are amounts of money are in micro-dollars."""

    amounts: Mapping[str, Mapping[Labels, int]]

    def of(self, name: str) -> Mapping[Labels, int]:
        return self.amounts.get(name, {})

    def histogram(self, name: str) -> Histogram:
        """A figure that ``observe`` kept."""
        counted, so_far, buckets = self.of(name), 0, []
        for bound in (*map(str, BOUNDS), OVERFLOW):
            so_far += counted.get((bound,), 0)
            buckets.append((bound, so_far))
        return Histogram(buckets, self.of(f"{name}_sum").get((), 0) / MICROS)


def observe(tx: Transaction, name: str, micros: int) -> None:
    """Count one duration; less than nothing, as clocks that were set back tell it, counts as nothing."""
    micros = bounded(micros, MOST_MICROS)
    seconds = micros / MICROS
    place = bisect_left(BOUNDS, seconds)
    tx.count(name, str(BOUNDS[place]) if place < len(BOUNDS) else OVERFLOW)
    tx.count(f"{name}_sum", amount=micros)


def count_calls(tx: Transaction, attempts: Iterable[Attempt]) -> None:
    """Count calls that have ended now, with what they used and cost, by route."""
    unknown: list[tuple[str, Fault]] = []
    for attempt in attempts:
        route, usage, fault = attempt.permit.route, attempt.usage, attempt.fault
        tx.count("calls", route, outcome_of(fault))
        tx.count("call_micros", route, amount=bounded(round(attempt.seconds * MICROS), MOST_MICROS))
        if usage is not None:
            tx.count("tokens", route, "input", amount=bounded(usage.input, MOST_TOKENS))
            tx.count("tokens", route, "output", amount=bounded(usage.output, MOST_TOKENS))
        tx.count("cost", route, amount=bounded(attempt.cost_micros, MOST_COST))
        if fault is not None:
            tx.count("faults", route, fault.kind)
            if is_exception(fault):
                tx.count("exceptions", route)
            unknown += [(route.partition("/")[0], fault)] if fault.unfamiliar else []
    if unknown:
        _count_codes(tx, unknown)


def _count_codes(tx: Transaction, unknown: Sequence[tuple[str, Fault]]) -> None:
    """Count codes that no table knows. They are a provider's words, so their number is bounded, and their letters."""
    known: dict[str, set[str]] = defaultdict(set)
    for row in tx.run(KNOWN_CODES):
        provider, code = orjson.loads(row.labels)
        known[provider].add(code)
    for provider, fault in unknown:
        code = nameable(fault)
        if code not in known[provider] and len(known[provider]) >= MOST_CODES:
            code = OTHER
        known[provider].add(code)
        tx.count("unknown_codes", provider, code)


def nameable(fault: Fault) -> str:
    """The code of an unfamiliar fault as a label: its own, or its status where it has none.

    >>> from holdfast.model.fault import FaultKind
    >>> [nameable(Fault(FaultKind.INVALID_REQUEST, status=418, code=code)) for code in (None, "new_code", "say: hi")]
    ['418', 'new_code', 'other']
    """
    code = fault.code or (str(fault.status) if fault.status is not None else OTHER)
    return code if NAMEABLE.fullmatch(code) else OTHER


def read_counters(tx: Transaction) -> Counters:
    """Every counter. Cheap: a few hundred rows, however many jobs there are."""
    amounts: dict[str, dict[Labels, int]] = defaultdict(dict)
    for row in tx.run(READ):
        amounts[row.name][tuple(orjson.loads(row.labels))] = int(row.amount)
    return Counters(amounts)


def dead_by_fault(tx: Transaction, counters: Counters) -> dict[str, int]:
    """Dead letters by fault. Counted from their rows only where counters and lanes disagree on the sum.

    They do while code from before the counters writes beside ours, until ``recount_dead``.
    """
    counted = {fault: jobs for (fault,), jobs in counters.of("dead").items() if jobs}
    if sum(counted.values()) == int(tx.run(LANES_DEAD)[0].jobs) and min(counted.values(), default=1) > 0:
        return counted
    return {row.fault: int(row.jobs) for row in tx.run(DEAD)}


def recount_dead(tx: Transaction) -> None:
    """Set the counters of dead letters right, if they are not. One statement sees rows and counters of one moment."""
    tx.run(RECOUNT_DEAD)


def read_pace(tx: Transaction, seconds: float) -> dict[str, list[tuple[float, int]]]:
    """What ended lately, by lane: age in seconds of the beginning of each slot of time, and how many ended in it."""
    paces: dict[str, Counter[float]] = defaultdict(Counter)
    for row in tx.run(PACE, since=tx.now - round(seconds * MICROS)):
        paces[row.lane][(tx.now - row.at) / MICROS] += int(row.ended)
    return {lane: sorted(slots.items()) for lane, slots in paces.items()}


def prune_pace(tx: Transaction, seconds: float) -> Any:
    """Forget slots that began more than ``seconds`` ago."""
    return tx.run(PRUNE, before=tx.now - round(seconds * MICROS))

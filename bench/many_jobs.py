"""A million jobs in a minute: a thousand in every state, made by the store's own moves, and copied by SQL.

The books hold afterwards, as the tallies and counters grow with the rows. Ids stay times: a copy is as old as its
original.
"""

import sys
import time
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path

from sqlalchemy import text

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from attempts import ended
from holdfast.model.attempt import Attempt
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.ids import new_id
from holdfast.model.job import Claimed, DeathReason, Need, Permit
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import Request, Role, Text, Turn
from holdfast.model.route import Price
from holdfast.model.step import Bury, Complete, Retry
from holdfast.store import Store
from holdfast.store.batches import open_batch
from holdfast.store.claim import claim
from holdfast.store.finish import finish
from holdfast.store.fleet import register_worker, stop_worker
from holdfast.store.new_job import NewJob, common_fields
from holdfast.store.request_codec import encode_request
from holdfast.store.submit import submit_jobs
from holdfast.store.tables import METADATA
from holdfast.store.transaction import Transaction

STATES: Mapping[str, int] = {"queued": 40, "delayed": 15, "succeeded": 35, "dead": 10}  # shares of 100
ORIGINALS = 1_000
AT_ONCE = 50  # copies of each original in one transaction
LATER = 86_400.0  # seconds until a delayed job starts
TENANTS = 20  # each with a batch
LEASE = 3_600.0
PRICE = Price(input=1.0, output=5.0)
REPLY = Reply(text="An answer.", finish=Finish.STOP, usage=Usage(input=120, output=30), model="m")
CAUSES = (
    Fault(FaultKind.INVALID_REQUEST, "no such parameter: top_q", 400, "bad_parameter"),
    Fault(FaultKind.FORBIDDEN, "this key may not use the model", 403, "no_permission"),
    Fault(FaultKind.TOO_LONG, "this model takes 200000 tokens at most", 400, "context_length_exceeded"),
    Fault(FaultKind.SERVER_ERROR, "internal error, see request id", 500, None),
)
ROUTES = ("first/first-model", "second/second-model")
TABLES = {"job": "id", "request": "job", "attempt": "job", "result": "job", "response": "job"}
# ``n`` is the number of a copy, from 1. These columns are not the original's.
NEW_IDS = {
    "sqlite": "substr(original.id, 1, 24) || printf('%08x', n)",
    "postgresql": "substr(original.id, 1, 24) || lpad(to_hex(n), 8, '0')",
}
NEW_NAMES = {"custom_id": "its.custom_id || '-' || n", "position": f"its.position + {ORIGINALS} * n"}


def fill(store: Store, jobs: int, model: str, states: Mapping[str, int] = STATES) -> None:
    """Add ``jobs`` jobs, a multiple of 1,000, of which so many of each hundred are in each state."""
    batches = [store.write(open_batch, new_id(), f"batch {n}", f"tenant-{n}").id for n in range(TENANTS)]
    whole = sum(states.values())
    worker, place = new_id(), 0
    store.write(register_worker, worker, "bench", 0, "0", lease=LEASE)
    for state, share in states.items():
        count = ORIGINALS * share // whole
        made = submit_jobs(store, [_job(place + n, model, batches) for n in range(count)])
        _bring(store, worker, state, [each.id for each in made], f"{model}.batch")
        place += count
    store.write(stop_worker, worker)
    copy(store, jobs // ORIGINALS - 1)


def _job(number: int, model: str, batches: Sequence[str]) -> NewJob:
    turns = (Turn(role=Role.USER, parts=(Text(text=f"Summarise document {number} in a sentence."),)),)
    request = Request(turns=turns, max_tokens=200)
    common = common_fields(model=model, tenant=f"tenant-{number % TENANTS}", batch=batches[number % TENANTS])
    body = encode_request(common.lane, request)
    return NewJob(common, new_id(), Need(120, 200), *body, custom_id=f"line-{number}", position=number)


def _bring(store: Store, worker: str, state: str, jobs: Sequence[str], lane: str) -> None:
    """Bring new jobs to a state, as a worker would."""
    if state == "queued":
        return
    permits = [Permit(new_id(), job, lane, route, "main", {}) for job, route in zip(jobs, cycle(ROUTES), strict=False)]
    held = store.write(claim, worker, permits)
    causes = islice(cycle(CAUSES), len(held))
    store.write(finish, [_ended(state, job, permit, fault)
                         for job, permit, fault in zip(held, _of(permits, held), causes, strict=True)])  # fmt: skip


def _of(permits: Sequence[Permit], held: Sequence[Claimed]) -> list[Permit]:
    by_job = {permit.job: permit for permit in permits}
    return [by_job[job.id] for job in held]


def _ended(state: str, job: Claimed, permit: Permit, fault: Fault) -> Attempt:
    match state:
        case "succeeded":
            return ended(job, permit, REPLY, Complete(), price=PRICE, seconds=0.5)
        case "delayed":
            return ended(job, permit, Fault(FaultKind.OVERLOADED, "try later", 529), Retry(LATER, True, {}))
        case _:
            reason = DeathReason(fault.kind, fault.message, fault.status, fault.code)
            return ended(job, permit, fault, Bury(reason), seconds=0.2)


def copy(store: Store, times: int) -> None:
    """Add ``times`` copies of every job with all that belongs to it, and to the books."""
    if times < 1:
        return
    store.write(_remember)
    for first in range(1, times + 1, AT_ONCE):
        store.write(_copy, first, min(first + AT_ONCE - 1, times))
    store.write(_grow, times + 1)


def _remember(tx: Transaction) -> None:
    tx.connection.execute(text("create table original as select id from job"))


def _copy(tx: Transaction, first: int, last: int) -> None:
    numbers = f"with recursive copies(n) as (select {first} union all select n + 1 from copies where n < {last})"
    for table, key in TABLES.items():
        new = {key: NEW_IDS[tx.dialect.name]} | (NEW_NAMES if table == "job" else {})
        columns = [column.name for column in METADATA.tables[table].columns]
        values = ", ".join(new.get(name, f"its.{name}") for name in columns)
        source = f"from {table} as its join original on original.id = its.{key} cross join copies"
        tx.connection.execute(text(f"insert into {table} ({', '.join(columns)}) {numbers} select {values} {source}"))


def _grow(tx: Transaction, times: int) -> None:
    """What was counted of the originals is true of every copy."""
    tx.connection.execute(text("update tally set jobs = jobs * :times"), {"times": times})
    tx.connection.execute(text("update counter set amount = amount * :times"), {"times": times})
    tx.connection.execute(text("drop table original"))


def analyze(store: Store) -> float:
    """Let the database know its sizes, as it does by itself after a while. Returns the seconds that took."""
    began = time.monotonic()
    store.write(lambda tx: tx.connection.execute(text("analyze")))
    return time.monotonic() - began

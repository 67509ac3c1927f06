"""One transaction: a clock that is read once, and counts that are written with what they count."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Executable, TextClause

from holdfast.model.job import TERMINAL, State
from holdfast.store import sqlite_driver
from holdfast.store.micros import MICROS
from holdfast.store.sql import SQLITE, Rows, SqlDialect, Statement, in_parts, join_bytes, render, to_json
from holdfast.testing import Runtime

MOST_JOINED = 4 * 1024 * 1024  # bytes of rows in one statement of SQLite, about: joining them takes a copy
SLOT = 5 * MICROS  # of the pace at which a lane's jobs end

MOVE_TALLY = Statement("""
    with v as ($rows(kind text, name text, state text, jobs bigint))
    insert into tally (kind, name, state, shard, jobs)
    select kind, name, state, :shard, jobs from v where true
    on conflict (kind, name, state, shard) do update
    set jobs = $least(tally.jobs, $most_counted - excluded.jobs) + excluded.jobs
""")

MOVE_COUNTERS = Statement("""
    with v as ($rows(name text, labels text, amount bigint))
    insert into counter (name, labels, shard, amount)
    select name, labels, :shard, amount from v where true
    on conflict (name, labels, shard) do update
    set amount = $least(counter.amount, $most_counted - excluded.amount) + excluded.amount
""")
MOVE_PACE = Statement("""
    with v as ($rows(lane text, ended bigint))
    insert into pace (lane, at, shard, ended) select lane, :at, :shard, ended from v where true
    on conflict (lane, at, shard) do update set ended = pace.ended + excluded.ended
""")
# Of Postgres, in the highest 16 bits of the locks of transactions that write to the outbox; see ``outbox``.
OUTBOX_LOCK = 0x4846
APPEND = {
    "sqlite": Statement("insert into outbox (at, events) values (:now, :events) returning id"),
    "postgresql": Statement(f"""
        with held as materialized (
            select pg_advisory_xact_lock_shared(
                (cast({OUTBOX_LOCK} as bigint) << 48) | (last_value - case when is_called then 0 else 1 end)
            ) from outbox_id_seq
        )
        insert into outbox (at, events) select cast(:now as bigint), cast(:events as text) from held returning id
    """),  # noqa: S608 - the number is ours
}


class Transaction:
    """One transaction. ``now`` is the database's clock, read once, in microseconds."""

    def __init__(self, connection: Connection, dialect: SqlDialect, shard: int, runtime: Runtime) -> None:
        self.connection = connection
        self.dialect = dialect
        self._shard, self._runtime = shard, runtime
        self._now: int | None = None
        self._tally: Counter[tuple[str, str, str]] = Counter()
        self._counters: Counter[tuple[str, tuple[str, ...]]] = Counter()
        self._ended: Counter[str] = Counter()
        self.ended_jobs: list[str] = []  # ids of those whose terminal records it writes
        self.events: list[list[Any]] = []  # what it adds to the outbox, as ``OutboxRow`` says

    @property
    def now(self) -> int:
        if self._now is None:
            self._now = self._read_clock()
        return self._now

    def _read_clock(self) -> int:
        if self.dialect.clock is None:
            return self._runtime.clock.now_micros()
        return int(self.connection.exec_driver_sql(self.dialect.clock).scalar_one())

    def crash_point(self, name: str) -> None:
        """Die here, in the middle of the transaction, if the environment says so; see ``holdfast.testing``."""
        self._runtime.crash_point(name)

    def run(self, statement: Statement, **parameters: Any) -> Sequence[Any]:
        """Run a statement; ``rows`` and ``ids`` travel as JSON. Answers the rows it returns; with bytes, none."""
        if self.dialect is SQLITE and statement.has_bytes:
            return self._run_with_bytes(statement, **parameters)
        query = self._prepare(statement, parameters)
        if self.dialect is SQLITE:
            return sqlite_driver.run(self.connection, query.text, parameters)
        result = self.connection.execute(query, parameters)
        return result.all() if result.returns_rows else ()

    def change(self, statement: Statement, **parameters: Any) -> int:
        """Run a statement that begins with ``insert``, ``update`` or ``delete``. Answers how many rows it changed."""
        query = self._prepare(statement, parameters)
        if self.dialect is SQLITE:
            return sqlite_driver.change(self.connection, query.text, parameters)
        return int(self.connection.execute(query, parameters).rowcount)

    def _prepare(self, statement: Statement, parameters: dict[str, Any]) -> TextClause:
        for name in ("rows", "ids"):
            if name in parameters:
                parameters[name] = to_json(parameters[name])
        return render(statement, self.dialect)

    def _run_with_bytes(self, statement: Statement, rows: Rows, **parameters: Any) -> Sequence[Any]:
        query = render(statement, self.dialect)
        for part in in_parts(rows, MOST_JOINED):
            written, joined = join_bytes(part)
            sqlite_driver.run(self.connection, query.text, {**parameters, "rows": written, "bytes": joined})
        return ()

    def select(self, query: Executable) -> Sequence[Any]:
        return self.connection.execute(query).all()

    def moved(self, lane: str, batch: str | None, before: State | None, after: State | None, jobs: int = 1) -> None:
        """Count ``jobs`` that left one state for another; None is outside: submitted, or dropped."""
        for kind, name in (("lane", lane), ("batch", batch)):
            if name is None:
                continue
            if before is not None:
                self._tally[kind, name, before] -= jobs
            if after is not None:
                self._tally[kind, name, after] += jobs
        if before is not None and after in TERMINAL:
            self._ended[lane] += jobs
            self.count("jobs", lane.rpartition(".")[0], after, amount=jobs)

    def count(self, name: str, *labels: str, amount: int = 1) -> None:
        """Add to a figure that somebody watches: see ``counters``."""
        self._counters[name, labels] += amount

    def total(self, name: str, amount: int) -> None:
        """Add to a figure that only grows."""
        self._tally["total", name, ""] += amount

    def flush(self) -> None:
        """Write the counts; last, and in order, so that two transactions never wait for each other's rows."""
        if rows := [[*key, jobs] for key, jobs in sorted(self._tally.items()) if jobs]:
            self.run(MOVE_TALLY, rows=rows, shard=self._shard)
        if rows := [[name, to_json(labels), n] for (name, labels), n in sorted(self._counters.items()) if n]:
            self.run(MOVE_COUNTERS, rows=rows, shard=self._shard)
        if rows := [[lane, jobs] for lane, jobs in sorted(self._ended.items())]:
            self.run(MOVE_PACE, rows=rows, at=self.now // SLOT * SLOT, shard=self._shard)
        if self.events:
            self.append_events(self.events)

    def append_events(self, events: list[list[Any]]) -> int:
        """Write a row of the outbox now, which others do at the end. Answers its id."""
        [row] = self.run(APPEND[self.dialect.name], now=self.now, events=to_json(events))
        return int(row.id)

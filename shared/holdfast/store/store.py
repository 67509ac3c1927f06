"""The store: every question and every move, each in its own transaction. Synchronous, safe to share between threads.

Every method raises StorageUnavailable when the database does not answer; then nothing of it was done.
"""

from collections.abc import Callable, Sequence
from functools import partial

from holdfast.model.access import KeyRecord, NewKey
from holdfast.model.errors import SchemaBehind
from holdfast.model.job import Claimed, NewJob, Offer, Permit, State, Submitted
from holdfast.model.records import (
    BatchRecord,
    FaultGroup,
    FinishedJob,
    JobDetail,
    JobFilter,
    JobRecord,
    LaneCounts,
    LedgerLine,
    Settlement,
    TakenOver,
    WorkerRecord,
)
from holdfast.store import (
    api_keys,
    backlog,
    batches,
    cancel,
    dead_letters,
    fleet,
    ledger,
    migrations,
    operator,
    read,
    retention,
)
from holdfast.store.call_log import CallLog, read_call_log
from holdfast.store.claim import claim
from holdfast.store.counters import Counters, prune_pace, read_counters, read_dead, read_pace, recount_dead
from holdfast.store.database import Database
from holdfast.store.hedge import hedge
from holdfast.store.micros import to_micros, to_seconds
from holdfast.store.operator import OverrideKind
from holdfast.store.requeue import called_within, requeue
from holdfast.store.retention import DeletedPage
from holdfast.store.settle import settle
from holdfast.store.sql import POSTGRES
from holdfast.store.submit import encode_job, submit

CANCEL_PAGE = 1000  # jobs in one transaction


class Store:
    """Jobs in SQL. ``url`` is ``sqlite:///FILE`` or ``postgresql://…``; nothing is opened before the first use."""

    def __init__(self, url: str) -> None:
        self.database = Database(url)

    @property
    def url(self) -> str:
        """Where this is, without the password."""
        return self.database.shown_url

    # The schema and the connection

    def upgrade(self) -> None:
        """Bring the schema to the newest revision, while others work on it."""
        self.database.alter(migrations.upgrade)

    def ensure(self) -> None:
        """Make the tables where there are none, and bring a SQLite file up to date. Quick where nothing is to be done.

        Raises SchemaBehind: a Postgres, which others may be using, is upgraded when an operator says so.
        """
        found, floor = self.database.read(lambda tx: migrations.read_revisions(tx.connection))
        migrations.refuse_newer(found, floor)
        if found is not None and found < migrations.HEAD and self.database.dialect is POSTGRES:
            raise SchemaBehind(self.url, found, migrations.HEAD)
        if found is None or found < migrations.HEAD:
            self.upgrade()

    def close(self) -> None:
        self.database.close()

    def now(self) -> float:
        """The time by the database's clock."""
        return self.database.read(lambda tx: to_seconds(tx.now))

    def ping(self) -> None:
        """Raise StorageUnavailable unless the database answers."""
        self.database.read(lambda tx: tx.connection.exec_driver_sql("select 1"))

    # Producers

    def open_batch(self, id: str, name: str, tenant: str, source: str | None = None) -> BatchRecord:  # noqa: A002 - the glossary's word
        """Make a batch, or find the one with this id."""
        return self.database.write(lambda tx: batches.open_batch(tx, id, name, tenant, source))

    def batch(self, id: str, tenant: str | None = None) -> BatchRecord | None:  # noqa: A002
        return self.database.read(lambda tx: batches.find_batch(tx, id, tenant))

    def batches(self, tenant: str | None = None, limit: int = 50, before: str | None = None) -> list[BatchRecord]:
        """Newest first; ``before`` is the id that the last page ended with."""
        return self.database.read(lambda tx: batches.list_batches(tx, tenant, limit, before))

    def cancel_batch(self, id: str, tenant: str | None = None) -> int:  # noqa: A002
        """Cancel every live job of a batch. Answers how many."""
        cancelled = 0
        while found := self._cancel_along(id, tenant):  # again, for those that moved while the walk passed them
            cancelled += found
        return cancelled

    def _cancel_along(self, batch: str, tenant: str | None) -> int:
        def page(after: str) -> list[str]:
            return self.database.read(lambda tx: cancel.live_in_batch(tx, batch, tenant, after, CANCEL_PAGE))

        cancelled, live = 0, page("")
        while live:
            cancelled += self.database.write(partial(cancel.cancel_all, ids=live))
            live = page(live[-1])
        return cancelled

    def submit(self, jobs: Sequence[NewJob]) -> list[Submitted]:
        """Accept jobs, all or none; answers in the same order. A known id or idempotency key is the earlier job."""
        encoded = [encode_job(job) for job in jobs]
        return self.database.write(lambda tx: submit(tx, encoded)) if encoded else []

    def job(self, id: str, tenant: str | None = None) -> JobRecord | None:  # noqa: A002
        return self.database.read(lambda tx: read.find_job(tx, id, tenant))

    def detail(self, id: str, tenant: str | None = None) -> JobDetail | None:  # noqa: A002
        """The job with its attempts, its terminal record and its request."""
        return self.database.read(lambda tx: read.find_detail(tx, id, tenant))

    def jobs(self, where: JobFilter, limit: int = 50, cursor: str | None = None) -> list[JobRecord]:
        """Newest first; ``cursor`` is the id that the last page ended with."""
        return self.database.read(lambda tx: read.list_jobs(tx, where, limit, cursor))

    def states(self, ids: Sequence[str]) -> dict[str, State]:
        """The state of each known id: a cheap poll for those who wait."""
        return self.database.read(lambda tx: read.read_states(tx, ids)) if ids else {}

    def finished(self, batch: str, after: int = -1, limit: int = 1000) -> list[FinishedJob]:
        """Jobs of a batch that ended, by place in the input, beyond place ``after``. Live jobs leave gaps."""
        return self.database.read(lambda tx: read.list_finished(tx, batch, after, limit))

    def unfinished(self, batch: str) -> int:
        """How many jobs of a batch still live."""
        return self.database.read(lambda tx: batches.count_unfinished(tx, batch))

    def cancel(self, id: str, tenant: str | None = None) -> State:  # noqa: A002
        """End a job that has not ended; a running one's late write is refused. Answers its state. Raises NotFound."""
        return self.database.write(lambda tx: cancel.cancel(tx, id, tenant))

    # Lanes

    def heads(self, lane: str, limit: int) -> list[Offer]:
        """The first queued jobs of a lane: nearest deadline, then oldest."""
        return self.database.read(lambda tx: backlog.heads(tx, lane, limit))

    def oldest(self, lane: str, look: int = 20) -> str | None:
        """The oldest queued job of a lane: of those without a deadline, and of the ``look`` with the nearest."""
        return self.database.read(lambda tx: backlog.oldest(tx, lane, look))

    def release_due(self, limit: int) -> list[Offer]:
        """Queue delayed jobs whose date has come."""
        return self.database.write(lambda tx: backlog.release_due(tx, limit))

    def expire_due(self, limit: int) -> int:
        """End waiting jobs whose deadline has passed. Answers how many."""
        return self.database.write(lambda tx: cancel.expire_due(tx, limit))

    def lanes(self) -> list[LaneCounts]:
        return self.database.read(backlog.list_lanes)

    def pace(self, seconds: float) -> dict[str, list[tuple[float, int]]]:
        """What ended within the last ``seconds``, by lane: the age of each slot of time, and how many ended in it."""
        return self.database.read(lambda tx: read_pace(tx, seconds))

    def prune_pace(self, seconds: float) -> None:
        """Forget what ended more than ``seconds`` ago, for estimates only."""
        self.database.write(lambda tx: prune_pace(tx, seconds))

    def counters(self) -> Counters:
        """Every counter, as it stands."""
        return self.database.read(read_counters)

    def dead_by_fault(self, counters: Counters) -> dict[str, int]:
        """Dead letters by what they died of."""
        return self.database.read(lambda tx: read_dead(tx, counters))

    def recount_dead(self) -> None:
        """Set right what code from before the counters did not count."""
        self.database.write(recount_dead)

    # Workers

    def register(self, id: str, host: str, pid: int, version: str, lease: float) -> None:  # noqa: A002
        """Enter a worker process, with a lease of so many seconds."""
        self.database.write(lambda tx: fleet.register(tx, id, host=host, pid=pid, version=version, lease=lease))

    def renew(self, id: str, lease: float) -> bool:  # noqa: A002
        """Lengthen a lease to so many seconds from now. False: it is lost, and so are its jobs."""
        return self.database.write(lambda tx: fleet.renew(tx, id, lease))

    def stop(self, id: str) -> None:  # noqa: A002
        """A worker has stopped of its own accord, and holds nothing."""
        self.database.write(lambda tx: fleet.stop(tx, id))

    def workers(self, live_only: bool = True) -> list[WorkerRecord]:  # noqa: FBT001, FBT002 - read with its name
        return self.database.read(lambda tx: fleet.list_workers(tx, live_only=live_only))

    def take_over(self, only_if: Callable[[], bool] = lambda: True) -> list[TakenOver]:
        """Queue the jobs of workers whose lease ran out; bury those that have killed too many.

        ``only_if`` is asked once the transaction has its turn to write, and knows what time it is for SQL. While it
        waited for that, so did everybody's renewal: with False nothing is done.
        """
        return self.database.write(lambda tx: fleet.take_over(tx, only_if))

    # The pipeline

    def claim(self, worker: str, permits: Sequence[Permit]) -> list[Claimed]:
        """Take queued jobs for a worker with a live lease; those that cannot be taken are left out."""
        return self.database.write(lambda tx: claim(tx, worker, permits)) if permits else []

    def hedge(self, worker: str, job: Claimed, permit: Permit) -> int | None:
        """Write the row of a second call for a running job. Answers its number; None: the job is not ``worker``'s."""
        return self.database.write(lambda tx: hedge(tx, worker, [(job, permit)])[0])

    def settle(self, settlements: Sequence[Settlement]) -> list[bool]:
        """Write the ends of calls, in the same order. False: refused, the job is not held under that fence."""
        return self.database.write(lambda tx: settle(tx, settlements)) if settlements else []

    def requeue(self, worker: str, jobs: Sequence[str] | None) -> list[Offer]:
        """Queue jobs that a living worker holds and does not run; None: all it holds, because it stops."""
        return self.database.write(lambda tx: requeue(tx, worker, jobs))

    def called_within(self, seconds: float) -> bool:
        """Whether any call started in the last ``seconds``, or has not ended yet."""
        return self.database.read(lambda tx: called_within(tx, seconds))

    # Dead letters

    def dead_groups(self, where: JobFilter) -> list[FaultGroup]:
        """Dead letters by lane and fault, largest group first."""
        return self.database.read(lambda tx: dead_letters.dead_groups(tx, where))

    def count(self, where: JobFilter) -> int:
        return self.database.read(lambda tx: read.count_jobs(tx, where))

    def replay(self, where: JobFilter, limit: int, per_minute: float | None, actor: str) -> int:
        """Put dead letters back to work, oldest first, at most so many a minute. Answers how many."""
        return self.database.write(lambda tx: dead_letters.replay(tx, where, limit, per_minute, actor))

    def drop(self, where: JobFilter, limit: int, actor: str) -> int:
        """Remove dead letters for good, oldest first. Answers how many."""
        return self.database.write(lambda tx: dead_letters.drop(tx, where, limit, actor))

    def delete_ended(self, age: float, after: str = "", limit: int = 500) -> DeletedPage:
        """Delete the next ``limit`` jobs beyond id ``after`` that ended more than ``age`` seconds ago."""
        micros = to_micros(age)
        old = self.database.read(lambda tx: retention.find_ended(tx, micros, after, limit))
        gone = self.database.write(lambda tx: retention.delete_ended(tx, old, micros)) if old else 0
        if len(old) == limit:
            return DeletedPage(gone, old[-1])
        self.database.write(lambda tx: retention.delete_empty_batches(tx, micros))
        return DeletedPage(gone, None)

    def delete_stopped_workers(self) -> None:
        """Delete the rows of processes that stopped a day ago."""
        self.database.write(retention.delete_stopped_workers)

    def ledger(self) -> list[LedgerLine]:
        """The invariants of docs/guarantees.md that SQL can tell, counted afresh."""
        return self.database.read(ledger.read_ledger)

    def call_log(self, ids: Sequence[str]) -> CallLog:
        """Every call and every ending of a page of jobs, at most some hundreds."""
        return self.database.read(lambda tx: read_call_log(tx, ids))

    # Operators

    def set_override(self, kind: OverrideKind, name: str, value: str | None, actor: str) -> None:
        """Force a lane (``paused``) or a route (``open``, ``closed``); None takes the force away."""
        self.database.write(lambda tx: operator.set_override(tx, kind, name, value, actor))

    def overrides(self) -> dict[tuple[OverrideKind, str], str]:
        return self.database.read(operator.read_overrides)

    def audit(self, actor: str, action: str, what: object, jobs: int = 0) -> None:
        """Write down something that no other transaction does: a refusal, for one."""
        self.database.write(lambda tx: operator.audit(tx, actor, action, what, jobs))

    # API keys

    def create_key(self, key: NewKey, actor: str) -> KeyRecord:
        return self.database.write(lambda tx: api_keys.create_key(tx, key, actor))

    def keys(self) -> tuple[list[KeyRecord], float]:
        """Every key that was ever made, newest first, and the time by the database's clock."""
        return self.database.read(lambda tx: (api_keys.list_keys(tx), to_seconds(tx.now)))

    def revoke_key(self, id: str, actor: str) -> KeyRecord:  # noqa: A002
        """End a key for good. Raises NotFound."""
        return self.database.write(lambda tx: api_keys.revoke_key(tx, id, actor))

    def mark_used(self, ids: Sequence[str]) -> None:
        """Note that keys are in use, once a minute at most."""
        self.database.write(lambda tx: api_keys.mark_used(tx, list(ids)))

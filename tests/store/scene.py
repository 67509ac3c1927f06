"""A store with a worker in it, and short words for what tests do there. Time passes by moving every date back."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import text

from attempts import ended
from holdfast.model.attempt import Attempt
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.ids import new_id
from holdfast.model.job import Claimed, DeathReason, Need, Permit, State
from holdfast.model.records import JobFilter, JobRecord, LedgerLine
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import Request, Role, Text, Turn
from holdfast.model.route import Price
from holdfast.model.step import Bury, Complete, Reroute, Retry, Snooze, Step
from holdfast.store import Store
from holdfast.store.cancel import cancel_job
from holdfast.store.claim import claim
from holdfast.store.finish import finish
from holdfast.store.fleet import register_worker
from holdfast.store.jobs import find_detail, find_job, read_states
from holdfast.store.ledger import read_ledger
from holdfast.store.micros import NEVER
from holdfast.store.new_job import NewJob, common_fields
from holdfast.store.operation_pages import work_off
from holdfast.store.operations import RETENTION, BulkAction, open_operation, open_retention
from holdfast.store.request_codec import encode_request
from holdfast.store.submit import submit_jobs
from holdfast.store.tables import METADATA

ROUTE = "anthropic/claude"
LEASE = 15.0
DATES: Mapping[str, tuple[str, ...]] = {
    "job": ("created_at", "available_at", "expires_at", "not_before", "finished_at"),
    "worker": ("started_at", "lease_until", "stopped_at"),
    "attempt": ("started_at", "ended_at"),
    "result": ("created_at",),
    "outbox": ("at",),
    "operation": ("until", "next_start", "created_at", "moved_at", "paused_at", "aborted_at", "ended_at"),
}
REPLY = Reply(text="Ahoy.", finish=Finish.STOP, usage=Usage(input=12, output=3), model="claude-1")
PRICE = Price(input=1 / 3, output=1.0)  # micro-dollars a token
BUSY = Fault(FaultKind.OVERLOADED, "try later", status=529)


def prompt(words: str = "Say ahoy.") -> Request:
    return Request(turns=(Turn(role=Role.USER, parts=(Text(text=words),)),), max_tokens=10)


def new_job(words: str = "Say ahoy.", **fields: Any) -> NewJob:
    """A job as a producer hands it in; see ``common_fields`` for what ``fields`` may say beside the job's own."""
    own = {name: fields.pop(name) for name in ("custom_id", "position", "idempotency_key") if name in fields}
    request, need = fields.pop("request", prompt(words)), fields.pop("need", Need(10, 20))
    id_, written = fields.pop("id", new_id()), request.written
    common = common_fields(**{"model": "smart", "avoid": need.avoid, "written_in": written and written.api} | fields)
    return NewJob(common, id_, need, *encode_request(common.lane, request), **own)


def permit(job: str, route: str = ROUTE) -> Permit:
    return Permit(new_id(), job, "smart.batch", route, "main", {})


def success(claimed: Claimed, reply: Reply = REPLY, **told: Any) -> Attempt:
    """A call that answered, for seven micro-dollars."""
    return ended(claimed, permit(claimed.id), reply, Complete(), price=PRICE, **{"seconds": 0.5} | told)


def failure(claimed: Claimed, step: Step, fault: Fault = BUSY, **told: Any) -> Attempt:
    return ended(claimed, permit(claimed.id), fault, step, **told)


def retry(delay: float = 60, *, uses_attempt: bool = True, avoid: Mapping[str, float | None] | None = None) -> Retry:
    return Retry(delay, uses_attempt, avoid or {})


def reroute(avoid: Mapping[str, float | None], *, uses_attempt: bool = False) -> Reroute:
    return Reroute(avoid, uses_attempt)


def snooze(delay: float = 60) -> Snooze:
    return Snooze(delay, {})


def bury(kind: FaultKind = FaultKind.INVALID_REQUEST) -> Bury:
    return Bury(DeathReason(kind, "no such parameter", 400, "bad_parameter"))


class Scene:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.worker = self.hire()

    def hire(self) -> str:
        worker = new_id()
        self.store.write(register_worker, worker, "host", 1, "1.0", lease=LEASE)
        return worker

    def submit(self, count: int = 1, **fields: Any) -> list[str]:
        return [done.id for done in submit_jobs(self.store, [new_job(**fields) for _ in range(count)])]

    def claim(self, *jobs: str, worker: str | None = None) -> list[Claimed]:
        claimed = self.store.write(claim, worker or self.worker, [permit(job) for job in jobs])
        return sorted(claimed, key=lambda job: jobs.index(job.id))

    def start(self, **fields: Any) -> Claimed:
        """A new job, running."""
        return self.claim(*self.submit(**fields))[0]

    def finish(self, *attempts: Attempt) -> list[bool]:
        return self.store.write(finish, attempts)

    def replay(self, where: JobFilter, limit: int, per_minute: float | None, actor: str) -> int:
        return self.act(BulkAction.REPLAY, where, limit, actor, per_minute)

    def drop(self, where: JobFilter, limit: int, actor: str) -> int:
        return self.act(BulkAction.DROP, where, limit, actor)

    def act(self, action: BulkAction, where: JobFilter, limit: int, actor: str, per_minute: float | None = None) -> int:
        """A bulk action on dead letters, from the first page to the last."""
        id_ = self.store.write(open_operation, action, where, limit, actor, per_minute)
        return work_off(self.store, id_, rest=0.0).jobs

    def delete_ended(self, age: float) -> int:
        """Retention, from the first page to the last."""
        assert self.store.write(open_retention, age)
        return work_off(self.store, RETENTION, rest=0.0).jobs

    def job(self, id_: str) -> JobRecord:
        found = self.store.read(find_job, id_)
        assert found is not None
        return found

    def state(self, id_: str) -> State:
        return self.store.read(read_states, [id_])[id_]

    def held_in(self, state: State, **fields: Any) -> Claimed:
        """The last claim of a job that came to ``state`` by the store's own moves."""
        [claimed] = self.claim(*self.submit(**{"expires_in": 3600} | fields), worker=self.hire())
        if state is State.CANCELLED:
            self.store.write(cancel_job, claimed.id)
        steps = {
            State.QUEUED: failure(claimed, retry(0)),
            State.DELAYED: failure(claimed, retry()),
            State.SUCCEEDED: success(claimed),
            State.DEAD: failure(claimed, bury()),
            State.EXPIRED: failure(claimed, retry(7200)),
        }
        if state in steps:
            assert self.finish(steps[state]) == [True]
        assert self.state(claimed.id) is state
        return claimed

    def pass_time(self, seconds: float) -> None:
        """Every date is so much longer ago, or sooner."""
        micros = round(seconds * 1_000_000)

        def shift(tx: Any) -> None:
            for table, columns in DATES.items():
                for column in columns:
                    moved = f"update {table} set {column} = {column} - {micros} where {column} < {NEVER}"
                    tx.connection.execute(text(moved))

        self.store.write(shift)

    def sql(self, statement: str, **parameters: Any) -> None:
        """Break something on purpose."""
        self.store.write(lambda tx: tx.connection.execute(text(statement), parameters))

    def wipe(self) -> None:
        for table in METADATA.sorted_tables:
            self.sql(f"delete from {table.name}")

    def rows(self, statement: str, **parameters: Any) -> list[Any]:
        return self.store.read(lambda tx: list(tx.connection.execute(text(statement), parameters)))

    def broken(self) -> list[LedgerLine]:
        return [line for line in self.store.read(read_ledger) if not line.holds]

    def attempts(self, job: str) -> list[Any]:
        detail = self.store.read(find_detail, job)
        return list(detail.attempts) if detail else []


def total(counts: Iterable[Mapping[State, int]]) -> int:
    return sum(sum(each.values()) for each in counts)

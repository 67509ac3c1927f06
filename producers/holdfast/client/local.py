"""The backend that is the configured storage: SQL, and Redis where it answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from holdfast.client import views
from holdfast.client.answer_body import find_answer_body
from holdfast.client.audit import audit_page
from holdfast.client.backend import Control, Force, View
from holdfast.client.bulk_order import BulkOrder
from holdfast.client.cost import cost_of
from holdfast.client.end_hints import Hints, OnEnded, Sleeper
from holdfast.client.errors import NoResponse
from holdfast.client.fleet import (
    GateOverview,
    credential_alerts,
    exception_alerts,
    gate_overview,
    lane_states,
    redis_url,
    redis_warning,
    route_states,
)
from holdfast.client.installation import Installation
from holdfast.client.outages import WAITING, FleetSituation, read_situation
from holdfast.client.overrides import OperatorOverrides
from holdfast.client.plain_line import MICROS
from holdfast.client.submit_request import Accepted, SubmitRequest
from holdfast.client.unmet_needs import find_unmet_need, list_unmet_needs
from holdfast.model.errors import Forbidden, NotFound
from holdfast.model.event import EventFilter
from holdfast.model.ids import inner_id, public_id
from holdfast.model.job import DEFAULT_TENANT, State
from holdfast.model.records import AuditFilter, BatchFilter, BatchRecord, JobDetail, JobFilter, JobRecord, WorkerRecord
from holdfast.store import Store
from holdfast.store.batches import find_batch, list_batches, read_spent
from holdfast.store.cancel import cancel_batch, cancel_job
from holdfast.store.counters import read_counters
from holdfast.store.dead_letters import dead_groups
from holdfast.store.jobs import find_detail, list_jobs, read_states
from holdfast.store.ledger import read_ledger
from holdfast.store.responses import find_response

if TYPE_CHECKING:
    from holdfast.client.answer import Answer
    from holdfast.client.end_reader import EndReader
    from holdfast.client.output_form import OutputForm, OutputLine
    from holdfast.client.submit_request import Item, JobDefaults
    from holdfast.model.call_result import ProviderResponse

NEWEST = 50  # operations that are listed
Where = TypeVar("Where", JobFilter, BatchFilter, EventFilter)


class LocalBackend:
    """Safe to share between threads.

    ``tenant`` owns what is submitted, and nothing of others is seen. None is an operator of the whole installation: all
    tenants are seen, and submits are the default tenant's. ``actor`` stands in the audit log beside every act.
    ``say`` puts sentences that name commands into the words of whoever reads them.
    """

    def __init__(
        self,
        installation: Installation,
        *,
        tenant: str | None = DEFAULT_TENANT,
        actor: str = "client",
        say: Callable[[str], str] = str,
    ) -> None:
        self._installation, self.tenant, self.actor, self._say = installation, tenant, actor, say

    @property
    def installation(self) -> Installation:
        return self._installation

    # Jobs

    def submit(self, request: SubmitRequest) -> Accepted:
        from holdfast.client.submission import Submission  # noqa: PLC0415 - slow to import, and most look only

        return Submission(self.installation, self.tenant or DEFAULT_TENANT, request).commit()

    def estimate(self, items: "Sequence[Item]", defaults: "JobDefaults") -> View:
        from holdfast.client.cost_estimate import estimate_items  # noqa: PLC0415 - slow to import, and few ask

        self.installation.usable_keys.demand([])
        return estimate_items(items, defaults, self.installation.settings.plan)

    def states(self, jobs: Sequence[str]) -> Mapping[str, State]:
        if not jobs:
            return {}  # most submits ask for none: that costs no transaction
        found = self._store.read(read_states, [inner_id("job", job) for job in jobs], self.tenant)
        return {public_id("job", job): state for job, state in found.items()}

    def hints(self, on_ended: OnEnded) -> Hints:
        return self.installation.redis.hints(on_ended)

    def sleeper(self, job: str) -> Sleeper:
        return self.installation.redis.sleeper(inner_id("job", job))

    def answer(self, job: str) -> "Answer | None":
        return self._end_reader.answer(self._detail(job))

    def jobs(self, where: JobFilter, limit: int, cursor: str | None = None) -> View:
        after = inner_id("job", cursor) if cursor else None
        found = self._store.read(list_jobs, self._mine(where), limit, after)
        return views.page("jobs", [views.job_view(job) for job in found], limit)

    def job(self, job: str) -> View:
        detail = self._detail(job)
        spent = sum(attempt.cost_micros for attempt in detail.attempts) / MICROS
        cost = cost_of(detail.result, self.installation.settings) if detail.result else spent
        view = views.detail_view(detail, cost, find_answer_body(self._store, detail, self.tenant))
        if detail.job.state in WAITING:
            view["why_waiting"] = self._why_waiting(detail.job)
        return view

    def _why_waiting(self, job: JobRecord) -> str | None:
        unmet = self._store.read(find_unmet_need, self.installation.settings, job.id)
        why = unmet or self._situation(gate_overview(self.installation)).why_waiting(job)
        return why and self._say(why)

    def response(self, job: str) -> "ProviderResponse":
        detail = self._detail(job)
        found = self._store.read(find_response, detail.job.id, self.tenant)
        if found is None:
            raise NoResponse(public_id("job", detail.job.id))
        return found

    def cancel(self, job: str) -> View:
        inner = inner_id("job", job)
        return {"id": public_id("job", inner), "status": self._store.write(cancel_job, inner, self.tenant).value}

    # Batches

    def batches(self, limit: int, cursor: str | None = None, where: BatchFilter | None = None) -> View:
        mine, before = self._mine(where or BatchFilter()), inner_id("batch", cursor) if cursor else None
        found = self._store.read(list_batches, limit=limit, before=before, **asdict(mine))
        return views.page("batches", [views.batch_view(batch) for batch in found], limit)

    def batch(self, batch: str) -> View:
        return views.batch_view(self._batch(batch))

    def counts(self, batch: str) -> Mapping[State, int]:
        return self._batch(batch).counts

    def spent(self, batch: str) -> float:
        return self._store.read(read_spent, self._batch(batch).id) / MICROS

    def choose_events(self, where: EventFilter) -> EventFilter:
        """Return a filter of this tenant's events alone. Raises NotFound where the job or the batch is not there."""
        if where.job is not None:
            self._detail(where.job)
        if where.batch is not None:
            self._batch(where.batch)
        return self._mine(where)

    def events(self, where: EventFilter, after: str, limit: int, wait: float = 0.0) -> View:
        from holdfast.client.event_view import wait_for_page  # noqa: PLC0415 - slow to import, and few listen

        return wait_for_page(self._store, self.choose_events(where), after, limit, wait)

    def results(self, batch: str, after: int, limit: int) -> View:
        return self._end_reader.results(self._batch(batch).id, after, limit)

    def output_lines(self, batch: str, after: int, limit: int, form: "OutputForm") -> "Sequence[OutputLine]":
        return self._end_reader.output_lines(self._batch(batch).id, after, limit, form)

    @property
    def _end_reader(self) -> "EndReader":
        from holdfast.client.end_reader import EndReader  # noqa: PLC0415 - slow to import, and most look only

        return EndReader(self._store, self.installation.settings, self.tenant)

    def cancel_batch(self, batch: str) -> View:
        from holdfast.store.batch_orders import ask_cancel  # noqa: PLC0415 - slow to import, and few cancel

        record = self._batch(batch)
        self._store.write(ask_cancel, record.id)  # what has not been read of one that came through another API
        return {"id": public_id("batch", record.id), "cancelled": cancel_batch(self._store, record.id, self.tenant)}

    # Lanes and routes

    def lanes(self) -> View:
        overview = gate_overview(self.installation)
        return {"lanes": self._lanes(overview, self._situation(overview))}

    def pause(self, lane: str, *, paused: bool) -> View:
        return self._overrides.pause(lane, paused=paused)

    def routes(self) -> View:
        overview = gate_overview(self.installation)
        return {"routes": self._routes(overview, self._situation(overview)), "warning": overview.warning}

    def force(self, route: str, want: Force) -> View:
        return self._overrides.force(route, want)

    def reset(self, route: str) -> View:
        return self._overrides.reset(route)

    @property
    def _overrides(self) -> OperatorOverrides:
        return OperatorOverrides(self.installation, self.actor)

    # The state of everything

    def status(self) -> View:
        """Show storage, workers, lanes and routes. What Redis alone knows is left out where it does not answer."""
        installation, store, overview = self.installation, self._store, gate_overview(self.installation)
        situation = self._situation(overview)
        counters = store.read(read_counters)
        return views.status_view(
            database_url=store.url,
            redis_url=redis_url(installation),
            workers=self.workers(),
            lanes=self._lanes(overview, situation),
            routes=self._routes(overview, situation),
            faults=situation.lately,
            warning=overview.warning or redis_warning(installation),
            alerts=[
                *credential_alerts(installation, overview, situation.refusing_good_keys),
                *exception_alerts(counters),
            ],
            unknown_codes=counters.of("unknown_codes"),
            unusable=[
                *installation.usable_keys.complaints(),
                *store.read(list_unmet_needs, installation.settings, situation.lanes),
            ],
        )

    def diagnose(self, provider: str | None, *, with_calls: bool = True) -> View:
        from holdfast.client.diagnosing import diagnose_view  # noqa: PLC0415 - only this needs what makes calls

        situation = self._situation(gate_overview(self.installation))
        return diagnose_view(self.installation, situation, provider, with_calls=with_calls)

    def ledger(self) -> View:
        return views.ledger_view(self._store.read(read_ledger))

    def audit(self, where: AuditFilter, limit: int, cursor: str | None = None) -> View:
        return audit_page(self._store, where, limit, cursor)

    # Dead letters

    def dead_groups(self, where: JobFilter) -> View:
        return {"groups": [views.group_view(group) for group in self._store.read(dead_groups, self._mine(where))]}

    def plan_bulk(self, order: BulkOrder) -> View:
        from holdfast.client.bulk_actions import plan_bulk  # noqa: PLC0415 - slow to import, and few act

        situation = self._situation(gate_overview(self.installation))
        return plan_bulk(self.installation, situation, self._my_order(order))

    def act(self, order: BulkOrder, wait: float | None) -> View:
        from holdfast.client.bulk_actions import act_on_dead_letters  # noqa: PLC0415 - the same
        from holdfast.client.operation_view import operation_view  # noqa: PLC0415 - the same

        self.installation.crash_point("before_replay")
        found = act_on_dead_letters(self.installation, self._my_order(order), self.actor, wait)
        self.installation.crash_point("after_replay")
        return operation_view(found)

    def operations(self) -> View:
        from holdfast.client.operation_view import operation_view  # noqa: PLC0415 - the same
        from holdfast.store.operations import list_operations  # noqa: PLC0415 - the same

        return {"operations": [operation_view(each) for each in self._store.read(list_operations, self.tenant, NEWEST)]}

    def operation(self, operation: str, control: Control = "show") -> View:
        from holdfast.client import bulk_actions  # noqa: PLC0415 - the same
        from holdfast.client.operation_view import operation_view  # noqa: PLC0415 - the same

        return operation_view(bulk_actions.control(self.installation, operation, control, self.tenant, self.actor))

    def _my_order(self, order: BulkOrder) -> BulkOrder:
        return replace(order, where=self._mine(order.where))

    def export(self, operation: str, to: Path) -> None:
        from holdfast.client.export import export_pages, open_export  # noqa: PLC0415 - the same
        from holdfast.client.export_file import new_file  # noqa: PLC0415 - the same

        found = open_export(self.installation, operation, self.tenant, self.actor)
        with new_file(to) as file:
            file.writelines(export_pages(self.installation, found))

    def delete_export(self, operation: str) -> None:
        from holdfast.client.export import open_export  # noqa: PLC0415 - the same
        from holdfast.store.operations import delete_export  # noqa: PLC0415 - the same

        found = open_export(self.installation, operation, self.tenant, self.actor)
        self._store.write(delete_export, found.id, self.actor)

    def close(self) -> None:
        self.installation.close()

    def workers(self) -> list[WorkerRecord]:
        """List worker processes with a live lease."""
        return self.installation.workers()

    def _situation(self, overview: GateOverview) -> FleetSituation:
        return read_situation(self.installation, overview.snapshot, overview.warning, sees_all=self.tenant is None)

    def _lanes(self, overview: GateOverview, situation: FleetSituation) -> list[View]:
        return [
            views.lane_view(lane, paused and self._say(paused))
            for lane in lane_states(self.installation, overview)
            for paused in [situation.paused_by(lane.lane.lane)]
        ]

    def _routes(self, overview: GateOverview, situation: FleetSituation) -> list[View]:
        outages = situation.outages()
        return [
            views.route_view(route, outages.get(route.route.name))
            for route in route_states(self.installation, overview)
        ]

    # Whose jobs they are

    @property
    def _store(self) -> Store:
        return self.installation.ready()

    def _mine(self, where: Where) -> Where:
        """Narrow a filter to the tenant. Raises Forbidden where it names another one."""
        if self.tenant is None:
            return where
        if where.tenant not in {None, self.tenant}:
            raise Forbidden(f"this key belongs to tenant {self.tenant!r}, and sees no other")
        return replace(where, tenant=self.tenant)

    def _detail(self, job: str) -> JobDetail:
        """Read a job. Raises NotFound, also where it is another tenant's, so that its existence is not revealed."""
        inner = inner_id("job", job)
        detail = self._store.read(find_detail, inner, self.tenant, with_request=False)
        if detail is None:
            raise NotFound("job", public_id("job", inner))
        return detail

    def _batch(self, batch: str) -> BatchRecord:
        """Read a batch. Raises NotFound, also where it is another tenant's."""
        inner = inner_id("batch", batch)
        record = self._store.read(find_batch, inner, self.tenant)
        if record is None:
            raise NotFound("batch", public_id("batch", inner))
        return record

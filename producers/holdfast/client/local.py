"""The backend that is the configured storage: SQL, and Redis where it answers.

An operator's override is committed to SQL first, then sent to Redis; workers send it again after Redis lost its data.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.client import views
from holdfast.client.answer import Answer
from holdfast.client.backend import Accepted, Force, SubmitRequest, View
from holdfast.client.batch_output import OutputForm, OutputLine, write_line
from holdfast.client.bulk_actions import act_on_dead_letters
from holdfast.client.dead_letter_line import dead_letter_line, new_file
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
from holdfast.client.plain_line import MICROS, error_line, output_line
from holdfast.client.submission import Submission
from holdfast.model.call_result import ProviderResponse
from holdfast.model.errors import Forbidden, InvalidRequest, NotFound, QueueUnavailable
from holdfast.model.ids import inner_id, public_id
from holdfast.model.job import DEFAULT_TENANT, LIVE, Priority, State
from holdfast.model.records import BatchRecord, FinishedJob, JobDetail, JobFilter, ResultRecord, WorkerRecord
from holdfast.store import Store
from holdfast.store.backlog import list_lanes
from holdfast.store.batches import find_batch, list_batches
from holdfast.store.cancel import cancel_batch, cancel_job
from holdfast.store.counters import read_counters
from holdfast.store.dead_letters import dead_groups
from holdfast.store.fleet import list_workers
from holdfast.store.jobs import count_jobs, find_detail, list_finished, list_jobs, read_states
from holdfast.store.ledger import read_ledger
from holdfast.store.operations import BulkAction
from holdfast.store.overrides import OverrideKind, set_override
from holdfast.store.responses import find_response, find_responses

if TYPE_CHECKING:
    from holdfast.lanes import Lanes

PAGE = 500  # dead letters that a drain writes at once
FEW, MOST_BYTES = 20, 16 * 1024 * 1024  # answers that are read at once, and of which a page of lines is full
LONGEST_NAME = 400  # characters of a lane or a route
LATER = "Redis does not answer; it hears of this as soon as a worker reaches it."


class LocalBackend:
    """Safe to share between threads.

    ``tenant`` owns what is submitted, and nothing of others is seen. None is an operator of the whole installation: all
    tenants are seen, and submits are the default tenant's. ``actor`` stands in the audit log beside every act.
    """

    def __init__(
        self, installation: Installation, *, tenant: str | None = DEFAULT_TENANT, actor: str = "client"
    ) -> None:
        self.installation, self.tenant, self.actor = installation, tenant, actor

    # Jobs

    def submit(self, request: SubmitRequest) -> Accepted:
        return Submission(self.installation, self.tenant or DEFAULT_TENANT, request).commit()

    def states(self, jobs: Sequence[str]) -> Mapping[str, State]:
        if not jobs:
            return {}  # most submits ask for none: that costs no transaction
        found = self._store.read(read_states, [inner_id("job", job) for job in jobs], self.tenant)
        return {public_id("job", job): state for job, state in found.items()}

    def answer(self, job: str) -> Answer | None:
        detail = self._detail(job)
        if detail.job.state in LIVE or detail.result is None:
            return None
        finished = FinishedJob(detail.job, detail.result)
        return Answer.read(output_line(finished, self._cost(detail.result), self._response(detail)))

    def jobs(self, where: JobFilter, limit: int, cursor: str | None = None) -> View:
        after = inner_id("job", cursor) if cursor else None
        found = self._store.read(list_jobs, self._mine(where), limit, after)
        return views.page("jobs", [views.job_view(job) for job in found], limit)

    def job(self, job: str) -> View:
        detail = self._detail(job)
        spent = sum(attempt.cost_micros for attempt in detail.attempts) / MICROS
        cost = self._cost(detail.result) if detail.result else spent
        view = views.detail_view(detail, cost, self._response(detail))
        if detail.job.state in WAITING:
            view["why_waiting"] = self._situation(gate_overview(self.installation)).why_waiting(detail.job)
        return view

    def response(self, job: str) -> ProviderResponse:
        detail = self._detail(job)
        found = self._store.read(find_response, detail.job.id, self.tenant)
        if found is None:
            raise NoResponse(public_id("job", detail.job.id))
        return found

    def _response(self, detail: JobDetail) -> ProviderResponse | None:
        """Read the answer that a written request got, which may be all there is; of a plain one the reply says it."""
        if detail.job.written_in is None or detail.result is None or detail.result.reply is None:
            return None
        return self._store.read(find_response, detail.job.id, self.tenant)

    def cancel(self, job: str) -> View:
        inner = inner_id("job", job)
        return {"id": public_id("job", inner), "status": self._store.write(cancel_job, inner, self.tenant).value}

    # Batches

    def batches(self, limit: int, cursor: str | None = None, tenant: str | None = None) -> View:
        """List batches; ``tenant`` narrows an operator's list further."""
        before, owner = inner_id("batch", cursor) if cursor else None, self._mine(JobFilter(tenant=tenant)).tenant
        found = self._store.read(list_batches, owner, limit, before)
        return views.page("batches", [views.batch_view(batch) for batch in found], limit)

    def batch(self, batch: str) -> View:
        return views.batch_view(self._batch(batch))

    def counts(self, batch: str) -> Mapping[State, int]:
        return self._batch(batch).counts

    def results(self, batch: str, after: int, limit: int) -> View:
        ended = self._ended(self._batch(batch).id, after, limit, OutputForm.PLAIN)
        return views.results_view(
            [
                {"position": one.job.position, **output_line(one, self._cost(one.result), response)}
                for one, response in ended
            ]
        )

    def output_lines(self, batch: str, after: int, limit: int, form: OutputForm) -> Sequence[OutputLine]:
        ended = self._ended(self._batch(batch).id, after, limit, form)
        return [self._line(one, response, form) for one, response in ended]

    def _line(self, finished: FinishedJob, response: ProviderResponse | None, form: OutputForm) -> OutputLine:
        cost, error = self._cost(finished.result), error_line(finished.result)
        text = write_line(finished, response, form, cost)
        return OutputLine(finished.job.position or 0, error["kind"] if error else None, cost, text)

    def _ended(
        self, batch: str, after: int, limit: int, form: OutputForm
    ) -> Iterator[tuple[FinishedJob, ProviderResponse | None]]:
        """Read answers a few at a time, and no more once they are long. Of plain lines the reading says it all."""
        size = 0
        while size < MOST_BYTES and (page := self._store.read(list_finished, batch, after, min(FEW, limit))):
            asked = [
                one.job.id for one in page if one.job.written_in or form not in {OutputForm.PLAIN, OutputForm.AUTO}
            ]
            responses = self._store.read(find_responses, asked, self.tenant) if asked else {}
            yield from ((one, responses.get(one.job.id)) for one in page)
            size += sum(len(each.body) for each in responses.values())
            limit, after = limit - len(page), page[-1].job.position or 0
            if not limit:
                return

    def _cost(self, result: ResultRecord) -> float | None:
        """Return what a job cost; None where nobody said what its route costs."""
        if result.cost_micros or result.route is None:
            return result.cost_micros / MICROS
        try:
            route = self.installation.settings.plan(result.route).routes[0]
        except InvalidRequest:  # of an earlier configuration
            return 0.0
        return None if route.price is None else 0.0

    def cancel_batch(self, batch: str) -> View:
        record = self._batch(batch)
        return {"id": public_id("batch", record.id), "cancelled": cancel_batch(self._store, record.id, self.tenant)}

    # Lanes and routes

    def lanes(self) -> View:
        overview = gate_overview(self.installation)
        return {"lanes": self._lanes(overview, self._situation(overview))}

    def pause(self, lane: str, *, paused: bool) -> View:
        self._check_lane(lane)
        value = "paused" if paused else None
        warning = self._override("lane", lane, value, lambda lanes: lanes.set_paused(lane, paused))
        return {"name": lane, "paused": paused, "warning": warning}

    def routes(self) -> View:
        overview = gate_overview(self.installation)
        return {"routes": self._routes(overview, self._situation(overview)), "warning": overview.warning}

    def force(self, route: str, want: Force) -> View:
        self._check_route(route)
        return {
            "name": route,
            "override": want,
            "warning": self._override("route", route, want, lambda lanes: lanes.force(route, want)),
        }

    def reset(self, route: str) -> View:
        self._check_route(route)
        warning = self._override("route", route, None, lambda lanes: lanes.reset(route))
        return {"name": route, "override": None, "warning": warning}

    def _override(
        self, kind: OverrideKind, name: str, value: str | None, send: "Callable[[Lanes], None]"
    ) -> str | None:
        """Commit an override to SQL, then send it to Redis. Returns a warning where Redis gets it later."""
        self._store.write(set_override, kind, name, value, self.actor)
        try:
            send(self.installation.redis.lanes())
        except QueueUnavailable:
            return LATER
        return None

    def _check_lane(self, lane: str) -> None:
        """Refuse a name that is no lane. Raises NotFound."""
        _refuse_unnameable("lane", lane)
        model, _, priority = lane.rpartition(".")
        if any(lane == known.lane for known in self._store.read(list_lanes)):
            return
        try:
            self.installation.settings.plan(model)
            Priority(priority)
        except (InvalidRequest, ValueError):
            raise NotFound("lane", lane) from None

    def _check_route(self, route: str) -> None:
        """Refuse a name that no plan has. Raises NotFound."""
        _refuse_unnameable("route", route)
        try:
            self.installation.settings.plan(route)
        except InvalidRequest:
            raise NotFound("route", route) from None

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
            alerts=[*credential_alerts(installation, overview), *exception_alerts(counters)],
            unknown_codes=counters.of("unknown_codes"),
            unusable=installation.usable_keys.complaints(),
        )

    def ledger(self) -> View:
        return views.ledger_view(self._store.read(read_ledger))

    # Dead letters

    def dead_groups(self, where: JobFilter) -> View:
        return {"groups": [views.group_view(group) for group in self._store.read(dead_groups, self._mine(where))]}

    def count(self, where: JobFilter, limit: int) -> int:
        return min(limit, self._store.read(count_jobs, self._mine(where)))

    def replay(self, where: JobFilter, limit: int, per_minute: float | None) -> int:
        self.installation.crash_point("before_replay")
        moved = act_on_dead_letters(
            self.installation, BulkAction.REPLAY, self._mine(where), limit, self.actor, per_minute
        )
        self.installation.crash_point("after_replay")
        return moved

    def drop(self, where: JobFilter, limit: int) -> int:
        return act_on_dead_letters(self.installation, BulkAction.DROP, self._mine(where), limit, self.actor)

    def drain(self, where: JobFilter, limit: int, to: Path) -> int:
        """Write dead letters to a new file, newest first, and remove each page once it is on the disk."""
        drained, left, cursor, where = 0, limit, None, self._mine(where)
        with new_file(to) as file:
            while left and (jobs := self._store.read(list_jobs, where, min(PAGE, left), cursor)):
                details = [self._store.read(find_detail, job.id, self.tenant) for job in jobs]
                file.write(b"".join(dead_letter_line(detail) for detail in details if detail is not None))
                file.flush()
                os.fsync(file.fileno())
                ids = tuple(job.id for job in jobs)
                drained += act_on_dead_letters(
                    self.installation, BulkAction.DROP, replace(where, ids=ids), len(ids), self.actor
                )
                left, cursor = left - len(jobs), jobs[-1].id
        return drained

    def close(self) -> None:
        self.installation.close()

    def workers(self) -> list[WorkerRecord]:
        """List worker processes with a live lease."""
        return self._store.read(list_workers)

    def _situation(self, overview: GateOverview) -> FleetSituation:
        return read_situation(self.installation, overview.snapshot, overview.warning, sees_all=self.tenant is None)

    def _lanes(self, overview: GateOverview, situation: FleetSituation) -> list[View]:
        return [
            views.lane_view(lane, situation.paused_by(lane.lane.lane))
            for lane in lane_states(self.installation, overview)
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

    def _mine(self, where: JobFilter) -> JobFilter:
        """Narrow a filter to the tenant. Raises Forbidden where it names another one."""
        if self.tenant is None:
            return where
        if where.tenant not in {None, self.tenant}:
            raise Forbidden(f"this key belongs to tenant {self.tenant!r}, and sees no other")
        return replace(where, tenant=self.tenant)

    def _detail(self, job: str) -> JobDetail:
        """Read a job. Raises NotFound, also where it is another tenant's, so that its existence is not revealed."""
        inner = inner_id("job", job)
        detail = self._store.read(find_detail, inner, self.tenant)
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


def _refuse_unnameable(kind: str, name: str) -> None:
    """Refuse a name that nothing can have: ``provider/model`` may be anything else. Raises NotFound."""
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise NotFound(kind, repr(name[:80]))

"""The desk that is the configured storage itself."""

from pathlib import Path
from typing import Any

from holdfast.cli.context import actor
from holdfast.cli.desk import Force, View
from holdfast.client.local import LocalBackend
from holdfast.client.operating import Operator
from holdfast.client.views import (
    batch_view,
    detail_view,
    group_view,
    job_view,
    lane_view,
    ledger_view,
    route_view,
    status_view,
)
from holdfast.config import Settings
from holdfast.model.errors import NotFound
from holdfast.model.ids import inner_id, public_id
from holdfast.model.records import JobFilter
from holdfast.store import Store
from holdfast.store.batches import find_batch, list_batches
from holdfast.store.cancel import cancel_batch, cancel_job
from holdfast.store.dead_letters import dead_groups
from holdfast.store.jobs import count_jobs, find_detail, list_jobs
from holdfast.store.ledger import read_ledger

LATER = "Redis does not answer; it hears of this as soon as a worker reaches it."


class OwnDesk:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.backend = LocalBackend(settings)
        self._operator = Operator(self.backend, actor())

    @property
    def store(self) -> Store:
        return self.backend.ready()

    def jobs(self, where: JobFilter, limit: int, cursor: str | None = None) -> list[View]:
        after = inner_id("job", cursor) if cursor else None
        return [job_view(job) for job in self.store.read(list_jobs, where, limit, after)]

    def job(self, name: str) -> View:
        inner = inner_id("job", name)
        detail = self.store.read(find_detail, inner)
        if detail is None:
            raise NotFound("job", public_id("job", inner))
        return detail_view(detail)

    def cancel_job(self, name: str) -> View:
        inner = inner_id("job", name)
        return {"id": public_id("job", inner), "status": self.store.write(cancel_job, inner).value}

    def batches(self, limit: int, cursor: str | None = None) -> list[View]:
        before = inner_id("batch", cursor) if cursor else None
        return [batch_view(batch) for batch in self.store.read(list_batches, None, limit, before)]

    def batch(self, name: str) -> View:
        inner = inner_id("batch", name)
        batch = self.store.read(find_batch, inner)
        if batch is None:
            raise NotFound("batch", public_id("batch", inner))
        return batch_view(batch)

    def cancel_batch(self, name: str) -> View:
        known: str = self.batch(name)["id"]
        return {"id": known, "cancelled": cancel_batch(self.store, inner_id("batch", known))}

    def lanes(self) -> list[View]:
        return [lane_view(lane) for lane in self._operator.lanes()]

    def pause(self, lane: str, *, paused: bool) -> View:
        told = self._operator.pause(lane, paused=paused)
        return {"name": lane, "paused": paused, **_warning(told=told)}

    def routes(self) -> list[View]:
        return [route_view(route) for route in self._operator.routes()]

    def force(self, route: str, want: Force) -> View:
        return {"name": route, "override": want, **_warning(told=self._operator.force(route, want))}

    def reset(self, route: str) -> View:
        return {"name": route, "override": None, **_warning(told=self._operator.reset(route))}

    def groups(self, where: JobFilter) -> list[View]:
        return [group_view(group) for group in self.store.read(dead_groups, where)]

    def count(self, where: JobFilter, limit: int) -> int:
        return min(limit, self.store.read(count_jobs, where))

    def replay(self, where: JobFilter, limit: int, per_minute: float | None) -> int:
        return self._operator.replay(where, limit, per_minute)

    def drop(self, where: JobFilter, limit: int) -> int:
        return self._operator.drop(where, limit)

    def drain(self, where: JobFilter, limit: int, to: Path) -> int:
        return self._operator.drain(where, limit, to)

    def ledger(self) -> View:
        return ledger_view(self.store.read(read_ledger))

    def status(self) -> View:
        return status_view(self._operator.status())


def _warning(*, told: bool) -> dict[str, Any]:
    return {"warning": None if told else LATER}

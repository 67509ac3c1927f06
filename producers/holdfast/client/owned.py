"""The store as one tenant sees it: nothing of others is there, whatever is asked for. For requests from outside.

``tenant`` None is an operator of the whole installation, who sees all tenants.
"""

from dataclasses import replace

from holdfast.model.errors import Forbidden, NotFound
from holdfast.model.ids import public_id
from holdfast.model.job import State
from holdfast.model.records import BatchRecord, FaultGroup, FinishedJob, JobDetail, JobFilter, JobRecord
from holdfast.store import Store
from holdfast.store.batches import find_batch, list_batches
from holdfast.store.cancel import cancel_batch, cancel_job
from holdfast.store.dead_letters import dead_groups
from holdfast.store.jobs import count_jobs, find_detail, list_finished, list_jobs


def narrowed(where: JobFilter, tenant: str | None) -> JobFilter:
    """Narrow a filter to a tenant. Raises Forbidden where it names another one."""
    if tenant is None:
        return where
    if where.tenant not in {None, tenant}:
        raise Forbidden(f"this key belongs to tenant {tenant!r}, and sees no other")
    return replace(where, tenant=tenant)


class Owned:
    """Every question and every act of the store that is about somebody's jobs."""

    def __init__(self, store: Store, tenant: str | None) -> None:
        self._store, self.tenant = store, tenant

    def jobs(self, where: JobFilter, limit: int, cursor: str | None = None) -> list[JobRecord]:
        return self._store.read(list_jobs, narrowed(where, self.tenant), limit, cursor)

    def count(self, where: JobFilter) -> int:
        return self._store.read(count_jobs, narrowed(where, self.tenant))

    def dead_groups(self, where: JobFilter) -> list[FaultGroup]:
        return self._store.read(dead_groups, narrowed(where, self.tenant))

    def detail(self, job: str) -> JobDetail:
        """Raises NotFound: also where the job is another tenant's, so that nobody learns of it."""
        detail = self._store.read(find_detail, job, self.tenant)
        if detail is None:
            raise NotFound("job", public_id("job", job))
        return detail

    def cancel(self, job: str) -> State:
        return self._store.write(cancel_job, job, self.tenant)

    def batch(self, batch: str) -> BatchRecord:
        """Raises NotFound."""
        record = self._store.read(find_batch, batch, self.tenant)
        if record is None:
            raise NotFound("batch", public_id("batch", batch))
        return record

    def batches(self, tenant: str | None, limit: int, before: str | None) -> list[BatchRecord]:
        """List batches; ``tenant`` narrows further."""
        return self._store.read(list_batches, narrowed(JobFilter(tenant=tenant), self.tenant).tenant, limit, before)

    def finished(self, batch: str, after: int, limit: int) -> list[FinishedJob]:
        return self._store.read(list_finished, self.batch(batch).id, after, limit)

    def cancel_batch(self, batch: str) -> int:
        return cancel_batch(self._store, self.batch(batch).id, self.tenant)

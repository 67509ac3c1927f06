"""A submit request becomes committed jobs, which are then offered to their lanes."""

from collections.abc import Iterator, Sequence
from itertools import islice

from holdfast.client.errors import PartlySubmitted
from holdfast.client.installation import Installation
from holdfast.client.job_items import read_jobs
from holdfast.client.job_templates import CommonFieldsByLine, ReadJob
from holdfast.client.submit_request import Accepted, AcceptedJob, SubmitRequest
from holdfast.client.submit_span import submit_span
from holdfast.client.webhook_receivers import demand_receivers
from holdfast.model.errors import NotFound, StorageUnavailable
from holdfast.model.ids import inner_id, new_id, new_ids, public_id
from holdfast.model.job import lane_name
from holdfast.store.batches import find_batch, open_batch, tell_of_batch
from holdfast.store.jobs import find_job
from holdfast.store.new_job import NewJob
from holdfast.store.submit import submit_jobs

CHUNK = 1_000  # jobs in one transaction


class Submission:
    """One request on its way into SQL, for ``tenant``. ``batch`` is an inner id, None for jobs that belong to none."""

    def __init__(self, installation: Installation, tenant: str, request: SubmitRequest) -> None:
        self._offers, self._tenant, self._request = installation.offers, tenant, request
        installation.usable_keys.demand([])  # without a provider no model is known: that is the mistake to tell
        templates = installation.job_templates.under(request.defaults)
        self._jobs = read_jobs(request.items, request.defaults, installation.settings.plan, templates)
        lines = {id(job.line): job.line for job in self._jobs}.values()  # of alike jobs one
        installation.usable_keys.demand(dict.fromkeys(line.model for line in lines))
        self._store, self._crash_point = installation.ready(), installation.crash_point
        self._shared = installation.shared_writes
        demand_receivers(installation, tenant, [request.webhook, *(line.webhook for line in lines)])
        self._lanes = {lane_name(line.model, line.priority) for line in lines}
        self._batch: str | None = None
        self._traceparent: str | None = None

    def commit(self) -> Accepted:
        """Write all jobs, a chunk in a transaction. Raises Conflict, PartlySubmitted, StorageUnavailable."""
        with submit_span(self._lanes, len(self._jobs)) as self._traceparent:
            return self._commit()

    def _commit(self) -> Accepted:
        numbered = list(zip(new_ids(len(self._jobs)), self._jobs, strict=True))
        accepted = self._open_batch(numbered)
        jobs = self._new_jobs(numbered[len(accepted) :], len(accepted))
        while chunk := list(islice(jobs, CHUNK)):
            try:
                accepted += self._accept(chunk)
            except StorageUnavailable as error:
                if not accepted:
                    raise
                raise PartlySubmitted(self._public_batch(), len(accepted), len(numbered), error) from error
        return Accepted(accepted, self._public_batch())

    def _public_batch(self) -> str | None:
        return self._batch and public_id("batch", self._batch)

    def _open_batch(self, jobs: Sequence[tuple[str, ReadJob]]) -> list[AcceptedJob]:
        """Find the batch that the request joins, or open the one it makes; return the jobs that are in by then.

        A request with a key may be a repeated one: where its first job is known, that names the earlier batch.
        """
        request, first = self._request, list[AcceptedJob]()
        if request.batch is not None:
            self._batch = inner_id("batch", request.batch)
            if self._store.read(find_batch, self._batch, self._tenant) is None:
                raise NotFound("batch", public_id("batch", self._batch))
            if request.webhook:
                self._store.write(tell_of_batch, self._batch, self._tenant, request.webhook)
        elif request.many:
            self._batch = new_id()
            if request.key and jobs:
                first = self._accept(list(self._new_jobs(jobs[:1])))
                if not first[0].created:
                    known = self._store.read(find_job, inner_id("job", first[0].id), self._tenant)
                    self._batch = (known and known.batch) or self._batch
            self._store.write(open_batch, self._batch, request.name, self._tenant, webhook=request.webhook)
        return first

    def _new_jobs(self, jobs: Sequence[tuple[str, ReadJob]], start: int = 0) -> Iterator[NewJob]:
        """Make the jobs that are stored, the first of which is item number ``start`` of the request."""
        request, batch = self._request, self._batch
        alone, webhook = batch is None and len(request.items) == 1, request.webhook if batch is None else None
        common = CommonFieldsByLine(self._tenant, batch, self._traceparent, webhook=webhook)
        for index, (id_, job) in enumerate(jobs, request.first + start):
            yield NewJob(
                common.of(job),
                id_,
                job.need,
                job.body,
                job.hash,
                job.custom_id,
                index if batch else None,
                f"{request.key}/{index}" if request.key and not alone else request.key,
            )

    def _accept(self, jobs: Sequence[NewJob]) -> list[AcceptedJob]:
        """Commit ``jobs`` in one transaction, then offer the new ones to their lanes."""
        self._crash_point("before_insert")
        submitted = submit_jobs(self._shared, jobs)
        self._crash_point("before_offer")
        self._offers.make([one.offer for one in submitted if one.offer])
        return [AcceptedJob(public_id("job", one.id), one.created, one.scheduled) for one in submitted]

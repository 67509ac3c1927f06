"""A submit request becomes committed jobs, which are then offered to their lanes."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from holdfast.client.backend import Accepted, AcceptedJob, SubmitRequest
from holdfast.client.errors import PartlySubmitted
from holdfast.client.installation import Installation
from holdfast.client.job_items import PlanOf, read_items
from holdfast.client.submit_span import submit_span
from holdfast.client.webhook_receivers import demand_receivers
from holdfast.model.errors import NotFound, StorageUnavailable
from holdfast.model.ids import inner_id, new_id, public_id
from holdfast.model.job import Need, NewJob, Offer, lane_name
from holdfast.policy.token_estimate import estimate
from holdfast.store.batches import find_batch, open_batch, tell_of_batch
from holdfast.store.jobs import find_job
from holdfast.store.submit import submit_jobs
from holdfast.wire.batch_line import ParsedLine
from holdfast.wire.strictness import allowed

CHUNK = 1_000  # jobs in one transaction


class Submission:
    """One request on its way into SQL, for ``tenant``. ``batch`` is an inner id, None for jobs that belong to none."""

    def __init__(self, installation: Installation, tenant: str, request: SubmitRequest) -> None:
        self._offers, self._tenant, self._request = installation.offers, tenant, request
        installation.usable_keys.demand([])  # without a provider no model is known: that is the mistake to tell
        self._plan = installation.settings.plan
        self._lines = read_items(request.items, request.defaults, self._plan)
        installation.usable_keys.demand(dict.fromkeys(line.model for line in self._lines))
        self._store, self._crash_point = installation.ready(), installation.crash_point
        self._shared = installation.shared_writes
        demand_receivers(installation, tenant, [request.webhook, *(line.webhook for line in self._lines)])
        self._batch: str | None = None
        self._traceparent: str | None = None

    def commit(self) -> Accepted:
        """Write all jobs, a chunk in a transaction. Raises Conflict, PartlySubmitted, StorageUnavailable."""
        lanes = {lane_name(line.model, line.priority) for line in self._lines}
        with submit_span(lanes, len(self._lines)) as self._traceparent:
            return self._commit()

    def _commit(self) -> Accepted:
        ids = sorted(new_id() for _ in self._lines)  # lanes take equal jobs in id order
        numbered = list(zip(ids, self._lines, strict=True))
        accepted = self._open_batch(numbered)
        jobs = self._new_jobs(numbered[len(accepted) :], len(accepted))
        while chunk := list(islice(jobs, CHUNK)):
            try:
                accepted += self._accept(chunk)
            except StorageUnavailable as error:
                if not accepted:
                    raise
                raise PartlySubmitted(self._public_batch(), len(accepted), len(ids), error) from error
        return Accepted(accepted, self._public_batch())

    def _public_batch(self) -> str | None:
        return self._batch and public_id("batch", self._batch)

    def _open_batch(self, lines: Sequence[tuple[str, ParsedLine]]) -> list[AcceptedJob]:
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
            if request.key and lines:
                first = self._accept(list(self._new_jobs(lines[:1])))
                if not first[0].created:
                    known = self._store.read(find_job, inner_id("job", first[0].id), self._tenant)
                    self._batch = (known and known.batch) or self._batch
            self._store.write(open_batch, self._batch, request.name, self._tenant, webhook=request.webhook)
        return first

    def _new_jobs(self, lines: Sequence[tuple[str, ParsedLine]], start: int = 0) -> Iterator[NewJob]:
        """Make the jobs of ``lines``, the first of which is item number ``start`` of the request."""
        request, batch = self._request, self._batch
        alone = batch is None and len(request.items) == 1
        webhook = request.webhook if batch is None else None
        for index, (id_, line) in enumerate(lines, request.first + start):
            yield NewJob(
                id=id_,
                model=line.model,
                request=line.request,
                need=need_of(line, self._plan),
                tenant=self._tenant,
                batch=batch,
                custom_id=line.custom_id,
                position=index if batch else None,
                priority=line.priority,
                idempotency_key=f"{request.key}/{index}" if request.key and not alone else request.key,
                expires_in=line.expires_in,
                metadata=line.metadata,
                not_before=line.not_before,
                traceparent=self._traceparent,
                webhook=line.webhook or webhook,
            )

    def _accept(self, jobs: Sequence[NewJob]) -> list[AcceptedJob]:
        """Commit ``jobs`` in one transaction, then offer the new ones to their lanes."""
        self._crash_point("before_insert")
        submitted = submit_jobs(self._shared, jobs)
        self._crash_point("before_offer")
        new = zip(jobs, submitted, strict=True)
        may_start = [(job, one) for job, one in new if one.created and not one.scheduled]
        self._offers.make(
            [Offer(one.id, one.lane, replace(job.need, expires_at=one.expires_at)) for job, one in may_start]
        )
        return [AcceptedJob(public_id("job", one.id), one.created, one.scheduled) for one in submitted]


def need_of(line: ParsedLine, plan_of: PlanOf) -> Need:
    """Estimate what a job needs, and leave out the routes that it must not take at all."""
    plan = plan_of(line.model)
    may = allowed(line.request, plan)
    return replace(estimate(line.request), avoid={route.name: None for route in plan.routes if route not in may})

"""The backend that is the storage itself: SQL, and where Redis is up a word to the lanes."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from threading import Event
from typing import Self

from holdfast.client.answer import Answer
from holdfast.client.backend import Accepted, AcceptedJob, SubmitRequest
from holdfast.client.errors import PartlySubmitted
from holdfast.client.intake import Draft, read_items
from holdfast.client.offers import Offers
from holdfast.client.output_line import output_line
from holdfast.client.redis_link import RedisLink
from holdfast.config import Settings, crash_point
from holdfast.model.errors import NotFound, StorageUnavailable
from holdfast.model.ids import new_id, public_id
from holdfast.model.job import DEFAULT_TENANT, LIVE, NewJob, Offer, State
from holdfast.model.records import FinishedJob
from holdfast.policy.token_estimate import estimate
from holdfast.store import Store
from holdfast.store.batches import find_batch, open_batch
from holdfast.store.cancel import cancel_batch, cancel_job
from holdfast.store.jobs import find_detail, find_job, list_finished, read_states
from holdfast.store.secrets import message_key
from holdfast.store.submit import submit_jobs

CHUNK = 1_000  # jobs in one transaction


class LocalBackend:
    """Safe to share between threads. ``tenant`` owns what is submitted, and nothing of others is seen."""

    def __init__(self, settings: Settings, *, tenant: str = DEFAULT_TENANT, offers: Offers | None = None) -> None:
        self.settings, self.tenant = settings, tenant
        self.store = Store(settings.storage.database_url)
        self.redis = RedisLink(settings, lambda: message_key(self.ready(), settings.storage.message_key))
        self.offers = offers or Offers(self.redis.lanes)
        self._ready = Event()

    def ready(self) -> Store:
        """Return the store, its tables brought up to date at first use."""
        if not self._ready.is_set():
            self.store.ensure()
            self._ready.set()
        return self.store

    def of(self, tenant: str) -> Self:
        """Return the same storage as another tenant has it; both share every connection."""
        other = copy.copy(self)
        other.tenant = tenant
        return other

    def submit(self, request: SubmitRequest) -> Accepted:
        drafts = read_items(request.items, request.defaults, self.settings.plan)
        self.ready()
        numbered = list(zip(sorted(new_id() for _ in drafts), drafts, strict=True))  # lanes take equal jobs in id order
        batch, taken = self.batch_of(request, numbered)
        for jobs in chunks(self.new_jobs(numbered[len(taken) :], request, batch, len(taken))):
            try:
                taken += self.accept(jobs)
            except StorageUnavailable as error:
                if not taken:
                    raise
                raise PartlySubmitted(batch and public_id("batch", batch), len(taken), len(drafts), error) from error
        return Accepted(taken, batch)

    def batch_of(
        self, request: SubmitRequest, drafts: Sequence[tuple[str, Draft]]
    ) -> tuple[str | None, list[AcceptedJob]]:
        """Find the batch that the order joins, or open the one it makes; and the jobs that are in by then.

        An order with a key may be a repeated one. Its first job tells: a known one names the batch of the first time.
        """
        if request.batch is not None:
            self.counts(request.batch)
            return request.batch, []
        if not request.many:
            return None, []
        batch, first = new_id(), list[AcceptedJob]()
        if request.key and drafts:
            first = self.accept(list(self.new_jobs(drafts[:1], request, batch)))
            known = None if first[0].created else self.store.read(find_job, first[0].id, self.tenant)
            batch = (known.batch if known else None) or batch
        return self.store.write(open_batch, batch, request.name, self.tenant).id, first

    def new_jobs(
        self, drafts: Sequence[tuple[str, Draft]], request: SubmitRequest, batch: str | None, start: int = 0
    ) -> Iterator[NewJob]:
        """Make the jobs of ``drafts``, the first of which is item number ``start`` of the request."""
        alone = batch is None and len(request.items) == 1
        for index, (id_, draft) in enumerate(drafts, request.first + start):
            yield NewJob(
                id=id_,
                model=draft.model,
                request=draft.request,
                need=estimate(draft.request),
                tenant=self.tenant,
                batch=batch,
                custom_id=draft.custom_id,
                position=index if batch else None,
                priority=draft.priority,
                idempotency_key=f"{request.key}/{index}" if request.key and not alone else request.key,
                expires_in=draft.expires_in,
                metadata=draft.metadata,
            )

    def accept(self, jobs: Sequence[NewJob]) -> list[AcceptedJob]:
        """Commit ``jobs`` in one transaction, then tell the lanes about those that are new."""
        crash_point("before_insert")
        submitted = submit_jobs(self.store, jobs)
        crash_point("before_offer")
        new = zip(jobs, submitted, strict=True)
        self.offers.make(
            [Offer(one.id, one.lane, replace(job.need, expires_at=one.expires_at)) for job, one in new if one.created]
        )
        return [AcceptedJob(one.id, one.created) for one in submitted]

    def states(self, ids: Sequence[str]) -> Mapping[str, State]:
        return self.ready().read(read_states, ids)

    def answer(self, job: str) -> Answer | None:
        detail = self.ready().read(find_detail, job, self.tenant)
        if detail is None:
            raise NotFound("job", public_id("job", job))
        if detail.job.state in LIVE or detail.result is None:
            return None
        return Answer.read(output_line(FinishedJob(detail.job, detail.result)))

    def finished(self, batch: str, after: int, limit: int) -> list[tuple[int, Answer]]:
        page = self.ready().read(list_finished, batch, after, limit)
        return [(one.job.position or 0, Answer.read(output_line(one))) for one in page]

    def counts(self, batch: str) -> Mapping[State, int]:
        record = self.ready().read(find_batch, batch, self.tenant)
        if record is None:
            raise NotFound("batch", public_id("batch", batch))
        return record.counts

    def cancel(self, job: str) -> State:
        return self.ready().write(cancel_job, job, self.tenant)

    def cancel_batch(self, batch: str) -> int:
        self.counts(batch)
        return cancel_batch(self.ready(), batch, self.tenant)

    def close(self) -> None:
        self.offers.close()
        self.redis.close()
        self.store.close()


def chunks(jobs: Iterator[NewJob]) -> Iterator[list[NewJob]]:
    while chunk := list(islice(jobs, CHUNK)):
        yield chunk

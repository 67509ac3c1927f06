"""The same client for asyncio. Every call runs on a thread; waiting holds none."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator, Mapping
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar, Unpack, overload

from holdfast.client.answer import Answer
from holdfast.client.answer_table import demand_pandas, to_frame
from holdfast.client.backend import View
from holdfast.client.end_poller import EndPoller, ended_states
from holdfast.client.errors import StillWaiting
from holdfast.client.event_stream import SHORT_WAIT, AsyncEventStream, EventStream
from holdfast.client.input_items import gathered
from holdfast.client.list_filters import event_filter
from holdfast.client.listing import BatchFilters, EventFilters, JobFilters, known_filters
from holdfast.client.row_sources import Rows
from holdfast.client.stall_watch import StallWatch
from holdfast.client.submit_request import Item
from holdfast.client.sync import Batch, Holdfast, Job, SubmitOptions
from holdfast.client.wait_monitor import WaitMonitor
from holdfast.client.waiting import Pause
from holdfast.model.call_result import ProviderResponse
from holdfast.model.job import Priority, State

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-not-found,import-untyped,unused-ignore] # no dependency of ours

    from holdfast.config import Settings

T = TypeVar("T")


class AsyncHoldfast:
    """``Holdfast`` with ``await``: the same names, the same meaning. Belongs to one event loop."""

    def __init__(
        self,
        settings: "Settings | None" = None,
        *,
        config: Path | str | None = None,
        url: str | None = None,
        api_key: str | None = None,
    ) -> None:
        self.sync = Holdfast(settings, config=config, url=url, api_key=api_key)
        self.poller = EndPoller(partial(ended_states, self.sync.backend.states), hints=self.sync.backend.hints)
        self.stalls = StallWatch(self.sync.backend)

    @overload
    async def submit(self, jobs: Item, **options: Unpack[SubmitOptions]) -> "AsyncJob": ...  # type: ignore[overload-overlap] # a str is a prompt, although it can be iterated over

    @overload
    async def submit(self, jobs: Rows | AsyncIterable[object], **options: Unpack[SubmitOptions]) -> "AsyncBatch": ...

    async def submit(
        self, jobs: Item | Rows | AsyncIterable[object], **options: Unpack[SubmitOptions]
    ) -> "AsyncJob | AsyncBatch":
        """Accept one job, or many as a batch, also from an asynchronous iterable: see ``Holdfast.submit``."""
        submit: Callable[..., Job | Batch] = self.sync.submit
        submitted = await asyncio.to_thread(submit, await gathered(jobs), **options)
        return AsyncJob(self, submitted) if isinstance(submitted, Job) else AsyncBatch(self, submitted)

    async def ask(self, prompt: Item, *, model: str | None = None, timeout: float | None = None) -> Answer:  # noqa: ASYNC109 - the twin of the sync one
        """Submit one job ahead of all batch work, wait, and return its reply. Raises JobFailed, StillWaiting."""
        job = await self.submit(prompt, model=model, priority=Priority.INTERACTIVE)
        return (await job.wait(timeout)).required()

    def job(self, job: str) -> "AsyncJob":
        return AsyncJob(self, self.sync.job(job))

    def batch(self, batch: str) -> "AsyncBatch":
        return AsyncBatch(self, self.sync.batch(batch))

    async def wait(self, job: "AsyncJob | str", timeout: float | None = None) -> Answer:  # noqa: ASYNC109 - as above
        return await self.job(str(job)).wait(timeout)

    async def result(self, job: "AsyncJob | str") -> Answer | None:
        return await self.job(str(job)).result()

    def results(
        self, batch: "AsyncBatch | str", *, ordered: bool = True, timeout: float | None = None
    ) -> AsyncIterator[Answer]:
        return self.batch(str(batch)).results(ordered=ordered, timeout=timeout)

    def jobs(self, **filters: Unpack[JobFilters]) -> AsyncIterator[View]:
        """Yield jobs, newest first: see ``Holdfast.jobs``."""
        return on_thread(self.sync.jobs(**filters))

    def batches(self, **filters: Unpack[BatchFilters]) -> AsyncIterator[View]:
        """Yield batches, newest first: see ``Holdfast.batches``."""
        return on_thread(self.sync.batches(**filters))

    def events(
        self,
        *,
        after: str | None = None,
        follow: bool = True,
        timeout: float | None = None,
        **filters: Unpack[EventFilters],
    ) -> AsyncEventStream:
        """Yield what ends: see ``Holdfast.events``. It has a thread of its own, and begins at its first step.

        ``await stream.begin()`` begins it before that, so that nothing of what is done next is missed.
        """
        where = event_filter(known_filters("events", filters))
        backend, wait = self.sync.backend, SHORT_WAIT
        return AsyncEventStream(
            lambda: EventStream(backend, where, after, follow=follow, timeout=timeout, longest_wait=wait)
        )

    async def cancel(self, job: "AsyncJob | str") -> State:
        return await self.job(str(job)).cancel()

    async def close(self) -> None:
        await self.stalls.close()
        await self.poller.close()
        await asyncio.to_thread(self.sync.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class AsyncJob:
    """One submitted job."""

    def __init__(self, holdfast: AsyncHoldfast, job: Job) -> None:
        self._holdfast, self.sync, self.id = holdfast, job, job.id

    async def wait(self, timeout: float | None = None) -> Answer:  # noqa: ASYNC109 - as above
        """Wait until the job has ended. Thousands may wait at once: they share one question to the storage."""
        with self._holdfast.stalls.over(self.id):
            await self._holdfast.poller.ended(self.id, timeout)
        answer = await self.result()
        if answer is None:
            raise StillWaiting(self.id, timeout or 0.0)
        return answer

    async def result(self) -> Answer | None:
        return await asyncio.to_thread(self.sync.result)

    async def response(self) -> ProviderResponse:
        """Return the provider's answer as it came, byte for byte. Raises NotFound: no provider has answered."""
        return await asyncio.to_thread(self.sync.response)

    async def cancel(self) -> State:
        return await asyncio.to_thread(self.sync.cancel)

    def __str__(self) -> str:
        return self.id


class AsyncBatch:
    """Jobs submitted together."""

    def __init__(self, holdfast: AsyncHoldfast, batch: Batch) -> None:
        self.sync, self.id, self._holdfast = batch, batch.id, holdfast

    @cached_property
    def jobs(self) -> tuple[AsyncJob, ...]:
        """The jobs, in input order; none for a batch that was taken up by its id."""
        return tuple(AsyncJob(self._holdfast, job) for job in self.sync.jobs)

    async def counts(self) -> Mapping[State, int]:
        return await asyncio.to_thread(self.sync.counts)

    async def wait(self, timeout: float | None = None, *, progress: bool | None = None) -> Mapping[State, int]:  # noqa: ASYNC109 - as above
        """Wait until every job has ended, and return how many ended how."""
        async for _answer in sleeping(self.sync.pauses(timeout), self.sync.monitor(progress=progress)):
            pass  # a wait has pauses only
        return await self.counts()

    async def results(
        self,
        *,
        ordered: bool = True,
        timeout: float | None = None,  # noqa: ASYNC109 - as above
        progress: bool | None = None,
    ) -> AsyncIterator[Answer]:
        """Yield answers as jobs end, in input order or as they come. ``progress`` as in ``Batch.results``."""
        steps = self.sync.stream(ordered=ordered, timeout=timeout)
        async for answer in sleeping(steps, self.sync.monitor(progress=progress)):
            yield answer

    async def to_pandas(self, *, timeout: float | None = None, progress: bool | None = None) -> "pd.DataFrame":  # noqa: ASYNC109 - as above
        """Wait for the whole batch and return a DataFrame: see ``Batch.to_pandas``."""
        demand_pandas()
        return to_frame([answer async for answer in self.results(timeout=timeout, progress=progress)])

    async def cancel(self) -> int:
        return await asyncio.to_thread(self.sync.cancel)

    def __str__(self) -> str:
        return self.id


async def on_thread(entries: Iterator[T]) -> AsyncIterator[T]:
    """Drive a list whose pages are read as they are needed on a thread."""
    while (entry := await asyncio.to_thread(next, entries, None)) is not None:
        yield entry


async def sleeping(steps: Iterator[Pause | Answer], monitor: WaitMonitor) -> AsyncIterator[Answer]:
    """Drive a wait or a stream of answers: its questions on a thread, its pauses on the loop."""
    try:
        while (step := await asyncio.to_thread(next, steps, None)) is not None:
            if isinstance(step, Answer):
                monitor.clear()
                yield step
                continue
            if monitor.is_due:
                await asyncio.to_thread(monitor.look)
            await asyncio.sleep(step.seconds)
    finally:
        monitor.close()

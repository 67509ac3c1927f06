"""The Python client. Everything that waits can be given a ``timeout`` in seconds, and then raises StillWaiting."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypedDict, Unpack, overload

from holdfast.client import waiting
from holdfast.client.answer import Answer
from holdfast.client.answer_table import demand_pandas, to_frame
from holdfast.client.backend import Backend, View
from holdfast.client.event_stream import EventStream
from holdfast.client.input_items import read_input
from holdfast.client.list_filters import batch_filter, event_filter, job_filter
from holdfast.client.listing import PAGE, BatchFilters, EventFilters, JobFilters, entries, known_filters
from holdfast.client.live_line import open_line
from holdfast.client.open_backend import open_backend
from holdfast.client.row_reader import RowReader
from holdfast.client.row_sources import Rows
from holdfast.client.submit_request import AcceptedJob, Item, JobDefaults, SubmitRequest
from holdfast.client.wait_monitor import WaitMonitor, monitor_batch, monitor_job, sleeping_under
from holdfast.model.call_result import ProviderResponse
from holdfast.model.ids import inner_id, public_id
from holdfast.model.job import Priority, State
from holdfast.model.start_time import EXPECTED, StartTime, parse_start

if TYPE_CHECKING:
    import pandas as pd  # type: ignore[import-not-found,import-untyped,unused-ignore] # no dependency of ours

    from holdfast.config import Settings


class SubmitOptions(TypedDict, total=False):
    """Keyword arguments of ``submit``, all optional; `Holdfast.submit` says what each means."""

    model: str | None
    priority: Priority | str | None
    expires_in: float | None
    not_before: datetime | timedelta | str | float | None
    idempotency_key: str | None
    name: str
    columns: Mapping[str, str] | None
    template: str | None
    metadata: bool | Iterable[str] | None
    webhook: str | None


class Holdfast:
    """Submits jobs and brings back their answers.

    ``Holdfast()`` uses HOLDFAST_URL when it is set, else the storage of the configuration that ``holdfast`` commands
    find. A server that wants an API key is shown ``api_key``, else the one of HOLDFAST_API_KEY or of the file that
    HOLDFAST_API_KEY_FILE names. Submitting needs SQL (or the server) only: no provider and no Redis has to be up. Safe
    to share between threads; ``close`` it, or use it in a ``with``.
    """

    def __init__(
        self,
        settings: "Settings | None" = None,
        *,
        config: Path | str | None = None,
        url: str | None = None,
        api_key: str | None = None,
    ) -> None:
        self.backend: Backend = open_backend(settings, config, url, api_key)

    @overload
    def submit(self, jobs: Item, **options: Unpack[SubmitOptions]) -> "Job": ...  # type: ignore[overload-overlap] # a str is a prompt, although it can be iterated over

    @overload
    def submit(self, jobs: Rows, **options: Unpack[SubmitOptions]) -> "Batch": ...

    def submit(self, jobs: Item | Rows, **options: Unpack[SubmitOptions]) -> "Job | Batch":
        """Accept one job, or many as a batch. When this returns they are safe: each will end in exactly one answer.

        Args:
            jobs: A prompt, an input line as a dict (plain, OpenAI's or Anthropic's form), or a Request. Or many: an
                iterable of these or of rows (named tuples, dataclasses, models, database rows), a DataFrame of pandas
                or polars, an Arrow table, or a data set, each row of which is a job. Missing values are absent.
            options: Keyword arguments:
                ``model``: Alias or ``provider/model`` of jobs that name none.
                ``priority``: ``interactive`` or ``batch``, for jobs that say nothing.
                ``expires_in``: Seconds after which a job that is still waiting is given up, for jobs that say nothing.
                ``not_before``: When they may start, for jobs that say nothing: a date (UTC where it names no zone), or
                    how long after they are accepted (``"2h"``, seconds, a timedelta).
                ``idempotency_key``: Submitting again with the same key finds the same jobs instead of making new ones.
                ``name``: What lists call the batch.
                ``columns``: For keys of a job the column that holds them: ``{"prompt": "question"}``.
                ``template``: A prompt with columns in braces: ``"Summarise: {text}"``.
                ``metadata``: What becomes of columns that are no key of a job: True keeps all, names keep those.

        Raises: InvalidJobs: all that is wrong with any of them; then none was taken. InvalidRequest: columns that
            cannot be jobs. TypeError: what has no rows. StorageUnavailable.
        """
        request = submit_request(jobs, **options)
        accepted = self.backend.submit(request)
        if not request.many:
            return Job(self.backend, accepted.jobs[0].id)
        return Batch(self.backend, accepted.batch or "", accepted.jobs)

    def ask(self, prompt: Item, *, model: str | None = None, timeout: float | None = None) -> Answer:
        """Submit one job ahead of all batch work, wait, and return its reply. Raises JobFailed, StillWaiting."""
        return self.submit(prompt, model=model, priority=Priority.INTERACTIVE).wait(timeout).required()

    def job(self, job: str) -> "Job":
        """Take up a job by its id. Whether there is one shows at the first question."""
        return Job(self.backend, job)

    def batch(self, batch: str) -> "Batch":
        """Take up a batch by its id, in this program or a later one."""
        return Batch(self.backend, batch)

    def wait(self, job: "Job | str", timeout: float | None = None) -> Answer:
        """Wait until a job has ended, and return how."""
        return self.job(str(job)).wait(timeout)

    def result(self, job: "Job | str") -> Answer | None:
        """Return how a job ended, or None while it has not."""
        return self.job(str(job)).result()

    def results(self, batch: "Batch | str", *, ordered: bool = True, timeout: float | None = None) -> Iterator[Answer]:
        """Yield the answers of a batch, each as soon as it can be."""
        return self.batch(str(batch)).results(ordered=ordered, timeout=timeout)

    def jobs(self, **filters: Unpack[JobFilters]) -> Iterator[View]:
        """Yield jobs, newest first, as ``GET /api/v1/jobs`` shows them; docs/filters.md says what each filter means.

        Pages are read as they are needed; what is made or ends meanwhile moves nothing.
        """
        where = job_filter(known_filters("jobs", filters))
        return entries("jobs", partial(self.backend.jobs, where, PAGE))

    def batches(self, **filters: Unpack[BatchFilters]) -> Iterator[View]:
        """Yield batches, newest first, each with its jobs counted by state."""
        where = batch_filter(known_filters("batches", filters))
        return entries("batches", lambda cursor: self.backend.batches(PAGE, cursor, where))

    def events(
        self,
        *,
        after: str | None = None,
        follow: bool = True,
        timeout: float | None = None,
        **filters: Unpack[EventFilters],
    ) -> EventStream:
        """Yield what ends, jobs and batches, in order and each once: ``for event in hf.events(batch=batch.id)``.

        Args:
            after: The id of the last event that was read (``last_id`` of the stream; keep it, and a later program
                goes on there), ``oldest`` or ``newest``. None: from now on; without ``follow`` all that is kept.
            follow: Wait for what comes. Without it the stream ends where there is no more.
            timeout: End it after so many seconds without an event. None: never.
            filters: ``batch``, ``job``, ``kind``, ``model``, ``tenant``, ``custom_id``, ``fault``.

        Raises: NotFound: no such job or batch. EventsGone: what follows ``after`` is not kept any more.
        """
        where = event_filter(known_filters("events", filters))
        return EventStream(self.backend, where, after, follow=follow, timeout=timeout)

    def cancel(self, job: "Job | str") -> State:
        """Cancel a job unless it has ended, and return its state."""
        return self.job(str(job)).cancel()

    def close(self) -> None:
        self.backend.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def submit_request(
    jobs: Item | Rows,
    *,
    model: str | None = None,
    priority: Priority | str | None = None,
    expires_in: float | None = None,
    not_before: datetime | timedelta | str | float | None = None,
    idempotency_key: str | None = None,
    name: str = "",
    columns: Mapping[str, str] | None = None,
    template: str | None = None,
    metadata: bool | Iterable[str] | None = None,
    webhook: str | None = None,
) -> SubmitRequest:
    """Make the request for one item, or for many as a batch. Raises ValueError: no such priority or date; TypeError.

    ``webhook``: the URL that is told when the job or the batch has ended.
    """
    defaults = JobDefaults(model, Priority(priority) if priority else None, expires_in, start_of(not_before))
    items, many = read_input(jobs, RowReader(columns, template, metadata))
    if not many:
        return SubmitRequest(items, defaults, key=idempotency_key, webhook=webhook)
    return SubmitRequest(items, defaults, many=True, name=name, key=idempotency_key, webhook=webhook)


def start_of(value: datetime | timedelta | str | float | None) -> StartTime | None:
    """Read when jobs may start. Raises ValueError."""
    match value:
        case datetime():
            written: object = value.isoformat()
        case timedelta():
            written = f"{value.total_seconds():f}s"
        case _:
            written = value
    start = parse_start(written)
    if value is not None and start is None:
        raise ValueError(f"not_before: expected {EXPECTED}, got {value!r}")
    return start


class Job:
    """One submitted job. ``id`` may be kept and taken up later with ``Holdfast.job``; ``inner`` is the id in SQL."""

    def __init__(self, backend: Backend, job: str) -> None:
        self._backend, self.inner = backend, inner_id("job", job)
        self.id = public_id("job", self.inner)

    def wait(self, timeout: float | None = None, *, progress: bool | None = None) -> Answer:
        """Wait until the job has ended, and return how. Raises StillWaiting, NotFound.

        ``progress`` as in `Batch.results`; StalledWarning says why nothing happens.
        """
        monitor = monitor_job(self._backend, self.id, open_line(progress))
        with closing(self._backend.sleeper(self.id)) as sleeper, sleeping_under(monitor, sleeper.sleep) as sleep:
            return waiting.drive(waiting.ended(self._backend, self.id, timeout), sleep)

    def result(self) -> Answer | None:
        """Return how the job ended, or None while it has not."""
        return self._backend.answer(self.id)

    def response(self) -> ProviderResponse:
        """Return the provider's answer as it came, byte for byte. Raises NotFound: no provider has answered."""
        return self._backend.response(self.id)

    def cancel(self) -> State:
        """Cancel the job unless it has ended, and return its state."""
        return State(self._backend.cancel(self.id)["status"])

    def __str__(self) -> str:
        return self.id

    def __repr__(self) -> str:
        return f"Job({self.id})"


class Batch:
    """Jobs submitted together."""

    def __init__(self, backend: Backend, batch: str, jobs: Sequence[AcceptedJob] = ()) -> None:
        self._backend, self.inner = backend, inner_id("batch", batch)
        self.id = public_id("batch", self.inner)
        self._accepted = jobs

    @cached_property
    def jobs(self) -> tuple[Job, ...]:
        """The jobs, in input order; none for a batch that was taken up by its id."""
        return tuple(Job(self._backend, one.id) for one in self._accepted)

    def counts(self) -> Mapping[State, int]:
        """Count the jobs by state."""
        return self._backend.counts(self.id)

    def wait(self, timeout: float | None = None, *, progress: bool | None = None) -> Mapping[State, int]:
        """Wait until every job has ended, and return how many ended how. ``progress`` as in `results`."""
        with sleeping_under(self.monitor(progress=progress)) as sleep:
            waiting.drive(self.pauses(timeout), sleep)
        return self.counts()

    def pauses(self, timeout: float | None = None) -> waiting.Waiting[None]:
        """Yield the pauses of a wait, for callers that sleep in their own way."""
        return waiting.all_ended(self._backend, self.id, timeout)

    def results(
        self, *, ordered: bool = True, timeout: float | None = None, progress: bool | None = None
    ) -> Iterator[Answer]:
        """Yield answers as jobs end: in input order, or with ``ordered=False`` in the order in which they come.

        ``progress``: a line tells how far the batch is. None: in a notebook and on a terminal; True: always, False:
        never. Where nothing happens for some seconds, a StalledWarning says why, and what to do: start a worker, set
        a key.
        """
        monitor = self.monitor(progress=progress)
        with sleeping_under(monitor) as sleep:
            for step in self.stream(ordered=ordered, timeout=timeout):
                if isinstance(step, Answer):
                    monitor.clear()
                    yield step
                else:
                    sleep(step.seconds)

    def to_pandas(self, *, timeout: float | None = None, progress: bool | None = None) -> "pd.DataFrame":
        """Wait for the whole batch and return a DataFrame, a row for each answer in input order.

        Its columns are those of `answer_table.COLUMNS`. Rows are numbered from 0, to stand beside a table that is
        numbered so, too: ``frame.join(batch.to_pandas().add_prefix("reply_"))``.

        Raises: ImportError: pandas is not installed; StillWaiting.
        """
        demand_pandas()
        return to_frame(self.results(timeout=timeout, progress=progress))

    def monitor(self, *, progress: bool | None = None) -> WaitMonitor:
        """Return what a wait of one's own asks to ``look`` at times."""
        return monitor_batch(self._backend, self.id, open_line(progress))

    def stream(self, *, ordered: bool = True, timeout: float | None = None) -> waiting.Stream:
        """Yield answers and the pauses between them, for callers that sleep in their own way."""
        follow = waiting.in_order if ordered else waiting.as_they_end
        return follow(self._backend, self.id, timeout)

    def cancel(self) -> int:
        """Cancel what has not ended, and return how many that were."""
        return int(self._backend.cancel_batch(self.id)["cancelled"])

    def __len__(self) -> int:
        return len(self._accepted) or sum(self.counts().values())

    def __str__(self) -> str:
        return self.id

    def __repr__(self) -> str:
        return f"Batch({self.id})"

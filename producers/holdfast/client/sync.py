"""The Python client. Everything that waits can be given a ``timeout`` in seconds, and then raises StillWaiting."""

import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar, overload

from holdfast.client import waiting
from holdfast.client.answer import Answer
from holdfast.client.backend import Accepted, AcceptedJob, Backend, Item, JobDefaults, SubmitRequest
from holdfast.client.opening import open_backend
from holdfast.model.ids import inner_id, public_id
from holdfast.model.job import Priority, State
from holdfast.model.request import Request

if TYPE_CHECKING:
    from holdfast.config import Settings

T = TypeVar("T")


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
    def submit(  # type: ignore[overload-overlap] # a str is a prompt, although it can be iterated over
        self,
        jobs: Item,
        *,
        model: str | None = None,
        priority: Priority | str | None = None,
        expires_in: float | None = None,
        idempotency_key: str | None = None,
        name: str = "",
    ) -> "Job": ...

    @overload
    def submit(
        self,
        jobs: Iterable[Item],
        *,
        model: str | None = None,
        priority: Priority | str | None = None,
        expires_in: float | None = None,
        idempotency_key: str | None = None,
        name: str = "",
    ) -> "Batch": ...

    def submit(
        self,
        jobs: Item | Iterable[Item],
        *,
        model: str | None = None,
        priority: Priority | str | None = None,
        expires_in: float | None = None,
        idempotency_key: str | None = None,
        name: str = "",
    ) -> "Job | Batch":
        """Accept one job, or many as a batch. When this returns they are safe: each will end in exactly one answer.

        Args:
            jobs: A prompt, an input line as a dict (plain, OpenAI's or Anthropic's form), or a Request; or many.
            model: Alias or ``provider/model`` of jobs that name none.
            priority: ``interactive`` or ``batch``, for jobs that say nothing.
            expires_in: Seconds after which a job that is still waiting is given up, for jobs that say nothing.
            idempotency_key: Submitting again with the same key finds the same jobs instead of making new ones.
            name: What lists call the batch.

        Raises: InvalidJobs: all that is wrong with any of them; then none was taken. StorageUnavailable.
        """
        defaults = JobDefaults(model, Priority(priority) if priority else None, expires_in)
        if isinstance(jobs, str | Mapping | Request):
            accepted = self.backend.submit(SubmitRequest([jobs], defaults, key=idempotency_key))
            return Job(self, accepted.jobs[0].id)
        order = SubmitRequest(list(jobs), defaults, many=True, name=name, key=idempotency_key)
        return Batch.of(self, self.backend.submit(order))

    def ask(self, prompt: Item, *, model: str | None = None, timeout: float | None = None) -> Answer:
        """Submit one job ahead of all batch work, wait, and return its reply. Raises JobFailed, StillWaiting."""
        return self.submit(prompt, model=model, priority=Priority.INTERACTIVE).wait(timeout).required()

    def job(self, job: str) -> "Job":
        """Take up a job by its id. Whether there is one shows at the first question."""
        return Job(self, inner_id("job", job))

    def batch(self, batch: str) -> "Batch":
        """Take up a batch by its id, in this program or a later one."""
        return Batch(self, inner_id("batch", batch))

    def wait(self, job: "Job | str", timeout: float | None = None) -> Answer:
        """Wait until a job has ended, and return how."""
        return self.job(str(job)).wait(timeout)

    def result(self, job: "Job | str") -> Answer | None:
        """Return how a job ended, or None while it has not."""
        return self.job(str(job)).result()

    def results(self, batch: "Batch | str", *, ordered: bool = True, timeout: float | None = None) -> Iterator[Answer]:
        """Yield the answers of a batch, each as soon as it can be."""
        return (batch if isinstance(batch, Batch) else self.batch(batch)).results(ordered=ordered, timeout=timeout)

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


class Job:
    """One submitted job. ``id`` may be kept and taken up later with ``Holdfast.job``."""

    def __init__(self, holdfast: Holdfast, inner: str) -> None:
        self._backend, self.inner = holdfast.backend, inner
        self.id = public_id("job", inner)

    def wait(self, timeout: float | None = None) -> Answer:
        return wait(waiting.ended(self._backend, self.inner, timeout))

    def result(self) -> Answer | None:
        return self._backend.answer(self.inner)

    def cancel(self) -> State:
        return self._backend.cancel(self.inner)

    def __str__(self) -> str:
        return self.id

    def __repr__(self) -> str:
        return f"Job({self.id})"


class Batch:
    """Jobs submitted together. ``jobs`` is in input order, and empty for a batch that was taken up by its id."""

    def __init__(self, holdfast: Holdfast, inner: str, jobs: Sequence[AcceptedJob] = ()) -> None:
        self._backend, self.inner = holdfast.backend, inner
        self.id = public_id("batch", inner)
        self.jobs = tuple(Job(holdfast, one.id) for one in jobs)

    @classmethod
    def of(cls, holdfast: Holdfast, accepted: Accepted) -> Self:
        return cls(holdfast, accepted.batch or "", accepted.jobs)

    def counts(self) -> Mapping[State, int]:
        """Count the jobs by state."""
        return self._backend.counts(self.inner)

    def wait(self, timeout: float | None = None) -> Mapping[State, int]:
        """Wait until every job has ended, and return how many ended how."""
        wait(self.pauses(timeout))
        return self.counts()

    def pauses(self, timeout: float | None = None) -> waiting.Waiting[None]:
        """Yield the pauses of a wait, for callers that sleep in their own way."""
        return waiting.all_ended(self._backend, self.inner, timeout)

    def results(self, *, ordered: bool = True, timeout: float | None = None) -> Iterator[Answer]:
        """Yield answers as jobs end: in input order, or with ``ordered=False`` in the order in which they come."""
        return stream(self.stream(ordered=ordered, timeout=timeout))

    def stream(self, *, ordered: bool = True, timeout: float | None = None) -> waiting.Stream:
        """Yield answers and the pauses between them, for callers that sleep in their own way."""
        follow = waiting.in_order if ordered else waiting.as_they_end
        return follow(self._backend, self.inner, timeout)

    def cancel(self) -> int:
        """Cancel what has not ended, and return how many that were."""
        return self._backend.cancel_batch(self.inner)

    def __len__(self) -> int:
        return len(self.jobs) or sum(self.counts().values())

    def __str__(self) -> str:
        return self.id

    def __repr__(self) -> str:
        return f"Batch({self.id})"


def wait(steps: Generator[waiting.Pause, None, T]) -> T:
    """Drive a wait with ``time.sleep``."""
    while True:
        try:
            time.sleep(next(steps).seconds)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return] # a generator's return value is untyped here


def stream(steps: waiting.Stream) -> Iterator[Answer]:
    """Drive a stream of answers with ``time.sleep``."""
    for step in steps:
        if isinstance(step, Answer):
            yield step
        else:
            time.sleep(step.seconds)

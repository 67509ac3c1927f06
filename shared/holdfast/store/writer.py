"""Group commit: one thread writes what the pipeline hands in, many claims and ends of calls in one transaction.

Until several come together, a write is immediate. Then whatever comes in within a few milliseconds shares one commit. A
caller waits for its own commit. While the database is away no claim is made, and finished calls are kept until they can
be written.
"""

import asyncio
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

from holdfast.model.attempt import Attempt
from holdfast.model.errors import StorageUnavailable
from holdfast.model.job import Claimed, Permit
from holdfast.store.claim import claim
from holdfast.store.finish import finish
from holdfast.store.hedge import hedge
from holdfast.store.store import Store
from holdfast.store.transaction import Transaction

GROUP = 500  # permits and attempts in one transaction, about
PAUSE = 0.005  # seconds between the starts of two transactions under load,
CROWD = 4  # which is when the one before held so many requests
RETRY = 0.25  # seconds between two tries while the database is away
HOLD = 60.0  # seconds for which close() keeps trying to write what is finished

T = TypeVar("T")
W = TypeVar("W")


@dataclass(slots=True, eq=False)
class WriteRequest(Generic[W, T]):
    """``what`` is to be written, by the function that writes all of its kind; who asked waits for ``future``."""

    write_all: Callable[[Transaction, Sequence[W]], Sequence[T]]
    what: W
    future: asyncio.Future[T]


Request = WriteRequest[Any, Any]
Answered = tuple[Request, Any]


class GroupWriter:
    """The one writer of a process. ``claim`` and ``finish`` are called from event loops; the writing is a thread's."""

    def __init__(self, store: Store, *, group: int = GROUP, hold: float = HOLD) -> None:
        self._store = store
        self._group, self._hold = group, hold
        self._inbox: queue.SimpleQueue[Request | None] = queue.SimpleQueue()  # None: close
        self._held: list[Request] = []
        self._thread = threading.Thread(target=self._serve, name="group-writer", daemon=True)
        self._lock = threading.Lock()  # nothing is handed in after the closing mark
        self._closed = False
        self._closing_at: float | None = None  # as the thread learned of it
        self.holding = False  # finished calls that could not be written yet: another would only be one more of them

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Write what was handed in, and end. Blocks; what cannot be written fails with StorageUnavailable."""
        with self._lock:
            self._closed = True
            self._inbox.put(None)
        self._thread.join()

    async def claim(self, worker: str, permits: Sequence[Permit]) -> list[Claimed]:
        """Take the permits' jobs. Raises StorageUnavailable at once while the database is away."""
        return await self._request(_claim_all, (worker, permits))

    async def hedge(self, worker: str, job: Claimed, permit: Permit) -> int | None:
        """Write the row of a second call for a job that ``worker`` holds; see ``store.hedge``.

        Raises StorageUnavailable at once while the database is away.
        """
        return await self._request(_hedge_all, (worker, job, permit))

    async def finish(self, attempts: Sequence[Attempt]) -> bool:
        """Write the ends of one job's calls. False: its step was not taken, the job was no longer held.

        Waits until the database is back, if need be. Raises StorageUnavailable when the process ends before that.
        """
        return await self._request(_finish_all, attempts)

    async def _request(self, write_all: Callable[[Transaction, Sequence[W]], Sequence[T]], what: W) -> T:
        request: WriteRequest[W, T] = WriteRequest(write_all, what, asyncio.get_running_loop().create_future())
        with self._lock:
            if self._closed:
                raise StorageUnavailable(self._store.url, "this process is stopping")
            self._inbox.put(request)
        return await request.future

    def _serve(self) -> None:
        next_at, group = 0.0, list[Request]()
        while (group := self._gather(next_at)) or self._closing_at is None:
            next_at = time.monotonic() + (PAUSE if len(group) >= CROWD else 0.0)
            if group:
                self._commit(group)

    def _gather(self, next_at: float) -> list[Request]:
        """What there is to write: the first, and what follows until it is time for the next transaction."""
        group: list[Request] = list(self._held)
        wait_until = time.monotonic() + RETRY if self._held else next_at
        self._held = []
        if not group and self._closing_at is None:
            self._take(self._inbox.get(), group)
        while len(group) < self._group:
            try:
                self._take(self._inbox.get(timeout=max(0.0, wait_until - time.monotonic())), group)
            except queue.Empty:
                break
        return group

    def _take(self, request: Request | None, group: list[Request]) -> None:
        if request is None:
            self._closing_at = time.monotonic()
        else:
            group.append(request)

    def _commit(self, group: list[Request]) -> None:
        try:
            answers = self._store.write(_write, group)
        except StorageUnavailable as error:
            self._keep(group, error)
        except Exception as error:  # noqa: BLE001 - the caller is told; the thread serves the others
            self._commit_one_by_one(group, error)
        else:
            self.holding = bool(self._held)
            _deliver(answers)

    def _commit_one_by_one(self, group: list[Request], error: Exception) -> None:
        """One that cannot be written must not take the others with it."""
        if len(group) == 1:
            _deliver([(group[0], error)])
            return
        for request in group:
            self._commit([request])

    def _keep(self, group: list[Request], error: StorageUnavailable) -> None:
        expired = self._closing_at is not None and time.monotonic() > self._closing_at + self._hold
        kept = [request for request in group if request.write_all is _finish_all and not expired]
        self._held.extend(kept)
        self.holding = self.holding or bool(kept)
        lost = set(map(id, kept))
        _deliver([(request, error) for request in group if id(request) not in lost])


def _write(tx: Transaction, group: Iterable[Request]) -> list[Answered]:
    """Ends before beginnings: a job that comes back may be claimed in the same transaction."""
    answers: list[Answered] = []
    for write_all in (_finish_all, _claim_all, _hedge_all):
        requests = [request for request in group if request.write_all is write_all]
        answers += zip(requests, write_all(tx, [request.what for request in requests]), strict=True)
    return answers


def _finish_all(tx: Transaction, ends: Sequence[Sequence[Attempt]]) -> list[bool]:
    """One statement for the ends of all calls."""
    taken = iter(finish(tx, [attempt for attempts in ends for attempt in attempts]))
    return [any(list(islice(taken, len(attempts)))) for attempts in ends]


def _claim_all(tx: Transaction, claims: Sequence[tuple[str, Sequence[Permit]]]) -> list[list[Claimed]]:
    """One statement for all claims of a worker. A job that two of them ask for goes to the first."""
    owner: dict[tuple[str, str], int] = {}
    by_worker: dict[str, list[Permit]] = defaultdict(list)
    for place, (worker, permits) in enumerate(claims):
        for permit in permits:
            if owner.setdefault((worker, permit.job), place) == place:
                by_worker[worker].append(permit)
    answers: list[list[Claimed]] = [[] for _ in claims]
    for worker, permits in by_worker.items():
        for claimed in claim(tx, worker, permits):
            answers[owner[worker, claimed.id]].append(claimed)
    return answers


def _hedge_all(tx: Transaction, hedges: Sequence[tuple[str, Claimed, Permit]]) -> list[int | None]:
    return [hedge(tx, worker, job, permit) for worker, job, permit in hedges]


def _deliver(answers: Iterable[Answered]) -> None:
    """Wake those who wait; one call into each event loop."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Answered]] = defaultdict(list)
    for request, answer in answers:
        by_loop[request.future.get_loop()].append((request, answer))
    for loop, its in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, its)


def _resolve(answers: Iterable[Answered]) -> None:
    for request, answer in answers:
        if request.future.done():  # its caller was cancelled
            continue
        if isinstance(answer, Exception):
            request.future.set_exception(answer)
        else:
            request.future.set_result(answer)

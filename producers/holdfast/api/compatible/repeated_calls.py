"""Finds the job of a waiting call that its client has sent before: it is paid once, however often it is sent.

SDKs repeat a POST without an idempotency key. What tells a repeat is their count of tries, or an equal call that was
given up: its client went away before it had the answer. Equal calls that are meant, beside one another, stay apart.
"""

import asyncio
import logging
import time
from collections import OrderedDict, defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool

from holdfast.api.compatible.call_request import CallRequest
from holdfast.api.compatible.turns import Turns
from holdfast.client.installation import Installation
from holdfast.model.errors import HoldfastError
from holdfast.model.ids import inner_id, public_id
from holdfast.model.job import State
from holdfast.store.cancel import cancel_all
from holdfast.store.files import delete_expired_files
from holdfast.store.given_up_calls import drop, find_given_up, find_late, find_sent, give_up, take
from holdfast.store.jobs import read_states

WITHIN = 600.0  # seconds in which a call counts as a repeat of an earlier one
CLEAN_EVERY = 30.0  # seconds
MOST_DELIVERED = 50_000  # remembered; the oldest is forgotten

log = logging.getLogger(__name__)


class RepeatedCalls:
    """Belongs to one event loop. What other API processes must know of a call stands in SQL."""

    def __init__(self, installation: Installation, clock: Callable[[], float] = time.monotonic) -> None:
        self._installation, self._clock = installation, clock
        self.turns = Turns()  # by fingerprint, so that a repeat sees the job of the first try
        self._waiters: defaultdict[str, int] = defaultdict(int)
        self._delivered: OrderedDict[str, float] = OrderedDict()
        self._notes: dict[asyncio.Task[None], str] = {}  # under way, with the fingerprints of their calls

    async def noted(self, fingerprint: str) -> None:
        """Wait until it is written down which calls with a fingerprint were given up."""
        await asyncio.gather(*(note for note, its in self._notes.items() if its == fingerprint))

    def earlier(self, call: CallRequest, tenant: str) -> str | None:
        """Return the job that an earlier try of a call made, None where there is none. Asks the database."""
        store = self._installation.ready()
        for job in store.read(find_given_up, call.fingerprint, WITHIN):
            if store.write(take, job):
                return public_id("job", job)
        if not call.tries_before:
            return None
        sent = [public_id("job", job) for job in store.read(find_sent, tenant, call.fingerprint, WITHIN)]
        return min(sent, key=self._doubt, default=None)

    def _doubt(self, job: str) -> int:
        """Rank the jobs of equal calls: first one that nobody waits for, then one whose answer may have been lost."""
        if job in self._delivered:
            return 2
        return 1 if self._waiters[job] else 0

    @asynccontextmanager
    async def waiting(self, job: str, fingerprint: str) -> AsyncIterator["Delivery"]:
        """Count one more who waits for a job. Unless the answer is ``delivered``, the call counts as given up."""
        delivery = Delivery()
        self._waiters[job] += 1
        try:
            yield delivery
        finally:
            self._waiters[job] -= 1
            last = not self._waiters[job]
            if last:
                del self._waiters[job]
            if delivery.done:
                self._remember(job)
            elif last and not delivery.handed_on and job not in self._delivered:
                self._note(job, fingerprint)

    def _remember(self, job: str) -> None:
        self._delivered[job] = self._clock()
        while self._delivered and (
            len(self._delivered) > MOST_DELIVERED or self._clock() - next(iter(self._delivered.values())) > WITHIN
        ):
            self._delivered.popitem(last=False)

    def _note(self, job: str, fingerprint: str) -> None:
        """Note a given-up call beside the request, which is being torn down."""
        note = asyncio.create_task(self._write_note(job, fingerprint))
        self._notes[note] = fingerprint
        note.add_done_callback(self._notes.pop)

    async def _write_note(self, job: str, fingerprint: str) -> None:
        try:
            store = self._installation.ready()
            await run_in_threadpool(store.write, give_up, inner_id("job", job), fingerprint)
        except HoldfastError as error:
            log.warning("%s was given up by its client, and is not noted as such: %s", job, error)

    async def clean_up(self) -> None:
        """Until cancelled: cancel jobs of given-up calls that nobody took over in time, unless they run."""
        while True:
            await asyncio.sleep(CLEAN_EVERY)
            try:
                await run_in_threadpool(self.clean_up_once)
            except HoldfastError as error:
                log.info("jobs of calls that were given up are cancelled later: %s", error)

    def clean_up_once(self) -> None:
        """Cancel what waits for nobody, and delete files whose date has come."""
        self.cancel_late()
        self._installation.ready().write(delete_expired_files)

    def cancel_late(self, after: float = WITHIN) -> int:
        """Cancel what waits for nobody. Returns how many jobs were."""
        store = self._installation.ready()
        late = store.read(find_late, after)
        states = store.read(read_states, late)
        waiting = [job for job, state in states.items() if state in {State.QUEUED, State.DELAYED}]
        cancelled = store.write(cancel_all, waiting) if waiting else 0
        if late:
            store.write(drop, late)
        return cancelled

    async def close(self) -> None:
        """Wait until every note is written."""
        await asyncio.gather(*self._notes, return_exceptions=True)


@dataclass(slots=True)
class Delivery:
    """``done``: the answer was handed to its client. ``handed_on``: somebody else goes on to wait for it."""

    done: bool = False
    handed_on: bool = False

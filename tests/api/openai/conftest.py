"""The real SDK against the application on loopback; answers come from a stand-in for the worker."""

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread
from time import monotonic
from typing import Any, Self

import openai
import pytest
from sqlalchemy import select

from holdfast.model.records import JobFilter, JobRecord
from holdfast.store import Store
from holdfast.store.cancel import expire_due
from holdfast.store.dead_letters import drop_letters
from holdfast.store.finish import finish
from holdfast.store.jobs import list_jobs
from holdfast.store.tables import METADATA
from holdfast.store.transaction import Transaction
from producing import StandInWorker, served

LANES = ("smart.interactive", "smart.batch")


@pytest.fixture
def url(settings, store) -> Iterator[str]:
    with served(settings) as url:
        yield f"{url}/v1"


@pytest.fixture
def client(url) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=url, api_key="none", timeout=20) as client:
        yield client


@pytest.fixture
def beside() -> Iterator[ThreadPoolExecutor]:
    """Threads for calls that wait."""
    with ThreadPoolExecutor(8) as threads:
        yield threads


def jobs(store: Store) -> list[JobRecord]:
    return store.read(list_jobs, JobFilter(), 100)


def given_up(store: Store) -> Sequence[object]:
    return store.read(lambda tx: tx.select(select(METADATA.tables["given_up_call"])))


def until(true: Callable[[], object]) -> None:
    """Wait until something has come to pass, for as long as a slow machine may take."""
    deadline, pause = monotonic() + 20, Event()
    while not true():
        assert monotonic() < deadline
        pause.wait(0.02)


def drop_unseen(worker: StandInWorker, lane: str) -> None:
    """Drop the jobs of a lane before anybody hears that they are dead."""
    jobs = worker.claim(lane)

    def end_and_drop(tx: Transaction) -> None:
        finish(tx, [worker.buried(job) for job in jobs])
        drop_letters(tx, [job.id for job in jobs])

    worker.store.write(end_and_drop)


def line_of(name: str, prompt: str | None, *, url: str = "/v1/chat/completions", **more: Any) -> bytes:
    """An input line. ``prompt`` None: without messages."""
    body = {"model": more.pop("model", "smart"), "messages": prompt and [{"role": "user", "content": prompt}]}
    return json.dumps({"custom_id": name, "method": "POST", "url": url, "body": body, **more}).encode()


def lines_of(prompts: Sequence[str]) -> bytes:
    return b"".join(line_of(str(n), prompt) + b"\n" for n, prompt in enumerate(prompts))


def batch_of(client: openai.OpenAI, content: bytes, endpoint: str = "/v1/chat/completions", **options: Any):
    """Upload a file and make a batch of it."""
    file = client.files.create(file=("in.jsonl", content), purpose="batch")
    return client.batches.create(
        **{"input_file_id": file.id, "endpoint": endpoint, "completion_window": "24h", **options}
    )


class Answering:
    """Does something for every job until the block ends."""

    def __init__(self, work: Callable[[], int]) -> None:
        self._work, self._stop = work, Event()
        self._thread = Thread(target=self._go_on, daemon=True)
        self.done = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _go_on(self) -> None:
        while not self._stop.wait(0.02):
            self.done += self._work()


@pytest.fixture
def answering(worker: StandInWorker) -> Iterator[Answering]:
    """Every prompt is answered with itself, upper case."""
    with Answering(lambda: sum(worker.answer(lane) for lane in LANES)) as answering:
        yield answering


@pytest.fixture
def sweeping(store: Store) -> Iterator[Answering]:
    """What has expired ends, as the sweeper of a worker sees to."""
    with Answering(lambda: store.write(expire_due, 100)) as sweeping:
        yield sweeping

"""The official SDK against the application on loopback, and a worker that answers beside it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import anthropic
import pytest

from holdfast.config import Settings
from holdfast.store import Store
from producing import StandInWorker, served

INTERACTIVE, BATCH = "smart.interactive", "smart.batch"
EVERY = 0.01  # seconds between two looks at a lane


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    with served(settings) as url:
        yield url


@pytest.fixture
def client(url: str) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=url, api_key="none", max_retries=0, timeout=20) as client:
        yield client


@contextmanager
def working(store: Store, act: Callable[[StandInWorker], object]) -> Iterator[None]:
    """Let a worker of its own ``act`` again and again."""
    stop, worker = Event(), StandInWorker(store)

    def work() -> None:
        while not stop.wait(EVERY):
            act(worker)

    thread = Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def answering(store: Store) -> Iterator[None]:
    """Every waiting call is answered with its own prompt, upper case."""
    with working(store, lambda worker: worker.answer(INTERACTIVE)):
        yield

"""Dramatiq's actors, for what is slow and rare: a message says no more than "look at row N now".

Queue, messages and threads are dramatiq's own. It retries nothing and keeps no date: what is to be done, and when, is
in SQL, so a lost message costs time alone, and one that somebody forged makes nobody do what SQL does not ask for.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from holdfast.lanes.connection import Connection
from holdfast.lanes.topology import FAILED, open_sync

QUEUE = "slow"
THREADS = 4  # paced operations each hold one for as long as they take
POLL = 250  # milliseconds between two looks into an empty queue, at most
STOP = 10_000  # milliseconds for what is under way to come to an end

# It shouts about every lost connection, which whoever looks after Redis tells already, once.
logging.getLogger("dramatiq").addHandler(logging.NullHandler())
logging.getLogger("dramatiq").propagate = False


class ActorQueue:
    """A queue of actors in one Redis. Whoever only sends needs neither ``declare`` nor ``start``."""

    def __init__(self, connection: Connection, name: str = QUEUE, threads: int = THREADS) -> None:
        """``threads`` calls at a time. Raises QueueUnavailable where an embedded server cannot be started."""
        self.url, self._name, self._threads = connection.url, name, threads
        self._connection = connection
        self._client = open_sync(self.url, decode=False)
        broker: Any = RedisBroker  # dramatiq leaves it without types
        self._broker: dramatiq.Broker = broker(client=self._client, namespace=connection.keys.actors, middleware=[])
        self._worker: dramatiq.Worker | None = None

    def send(self, actor: str, row: str) -> None:
        """Have some process call ``actor`` with ``row``. Raises QueueUnavailable."""
        message: dramatiq.Message[None] = dramatiq.Message(
            queue_name=self._name, actor_name=actor, args=(row,), kwargs={}, options={}
        )
        try:
            self._broker.enqueue(message)
        except FAILED as error:
            raise self._connection.unavailable(error) from error

    def declare(self, actor: str, work: Callable[[str], None]) -> None:
        """Say what this process does when ``actor`` is sent. ``work`` tells its own errors, and raises none."""
        dramatiq.actor(actor_name=actor, queue_name=self._name, broker=self._broker)(work)

    def start(self) -> None:
        """Begin to work, in threads of dramatiq's worker."""
        self._worker = dramatiq.Worker(self._broker, worker_threads=self._threads, worker_timeout=POLL)
        self._worker.start()

    def stop(self) -> None:
        """Take no more messages, and wait up to STOP for what is under way. What was fetched goes back to the queue."""
        if self._worker is not None:
            with suppress(*FAILED):  # whoever looks at the rows later sends the messages again
                self._worker.stop(STOP)
        self._client.close()

"""Actors: what one process sends another one does, once, and a process that stops leaves what it did not begin."""

import threading
from pathlib import Path

import pytest

from holdfast.lanes import Connection, connect
from holdfast.lanes.actors import ActorQueue
from holdfast.model.errors import QueueUnavailable

LONG = 30.0  # seconds: far more than any machine needs


class Worked:
    """What an actor was called with, and a way to wait for it."""

    def __init__(self) -> None:
        self.rows: list[str] = []
        self._called = threading.Condition()

    def __call__(self, row: str) -> None:
        with self._called:
            self.rows.append(row)
            self._called.notify_all()

    def wait_for(self, count: int) -> list[str]:
        with self._called:
            assert self._called.wait_for(lambda: len(self.rows) >= count, LONG)
            return sorted(self.rows)


def working(connection: Connection, worked: Worked) -> ActorQueue:
    queue = ActorQueue(connection)
    queue.declare("look", worked)
    queue.start()
    return queue


def test_what_is_sent_is_worked_on_in_another_thread(real: Connection) -> None:
    sender, worked = ActorQueue(real), Worked()
    sender.send("look", "before anybody works")
    queue = working(real, worked)
    sender.send("look", "while somebody works")
    assert worked.wait_for(2) == ["before anybody works", "while somebody works"]
    queue.stop()


def test_two_workers_share_the_messages(real: Connection) -> None:
    sender, worked = ActorQueue(real), Worked()
    queues = [working(real, worked) for _ in range(2)]
    rows = [f"row {n:02}" for n in range(20)]
    for row in rows:
        sender.send("look", row)
    assert worked.wait_for(20) == rows
    for queue in queues:
        queue.stop()
    assert sorted(worked.rows) == rows


def test_an_actor_that_nobody_knows_holds_up_no_other(real: Connection) -> None:
    sender, worked = ActorQueue(real), Worked()
    queue = working(real, worked)
    sender.send("of a newer version", "row 1")
    sender.send("look", "row 2")
    assert worked.wait_for(1) == ["row 2"]
    queue.stop()


def test_a_redis_that_is_away_is_said_so_and_does_not_keep_a_worker_from_stopping() -> None:
    away = connect("redis://127.0.0.1:1/0", Path())
    queue = working(away, Worked())
    with pytest.raises(QueueUnavailable):
        queue.send("look", "row 1")
    queue.stop()

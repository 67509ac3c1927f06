"""Writes of threads that wait at the same time, in one transaction: to sync a disk takes as long for one as for many.

Whoever is alone writes at once. While one transaction is written, those that come wait for the next.
"""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice
from threading import Lock
from typing import Any, TypeVar

from holdfast.model.errors import StorageUnavailable
from holdfast.store.store import Store
from holdfast.store.transaction import Transaction

MOST = 1_000  # items in one transaction, about

T = TypeVar("T")
W = TypeVar("W")
WriteAll = Callable[[Transaction, Sequence[W]], Sequence[T]]


@dataclass(slots=True, eq=False)
class WaitingWrite:
    """``write_all`` answers each of ``items``, and those of others beside them."""

    write_all: WriteAll[Any, Any]
    items: Sequence[Any]
    answers: "Future[list[Any]]" = field(default_factory=Future)


class SharedWrites:
    """Of one store. Safe to share between threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: deque[WaitingWrite] = deque()
        self._turn = Lock()

    def write(self, write_all: WriteAll[W, T], items: Sequence[W]) -> list[T]:
        """Return the answers of ``write_all(transaction, items)``, in order, once they are committed.

        What raises for these items is raised here, and keeps no others from being written. It runs again where another
        one's items broke the transaction, and so must bear repetition.
        """
        mine = WaitingWrite(write_all, items)
        self._waiting.append(mine)
        with self._turn:
            while not mine.answers.done():
                self._commit(self._next_group())
        return mine.answers.result()

    def _next_group(self) -> list[WaitingWrite]:
        """The first that waits, and those behind it that are written the same way."""
        group, room = [self._waiting.popleft()], MOST
        while self._waiting and self._waiting[0].write_all is group[0].write_all:
            room -= len(group[-1].items)
            if len(self._waiting[0].items) > room:
                break
            group.append(self._waiting.popleft())
        return group

    def _commit(self, group: Sequence[WaitingWrite]) -> None:
        try:
            answers = self._store.write(_write, group)
        except StorageUnavailable as error:
            _fail(group, error)
        except Exception as error:  # noqa: BLE001  whose items broke it is told; the others are written
            self._commit_one_by_one(group, error)
        except BaseException as error:
            _fail(group, error)
            raise
        else:
            for each, its in zip(group, answers, strict=True):
                each.answers.set_result(its)

    def _commit_one_by_one(self, group: Sequence[WaitingWrite], error: Exception) -> None:
        if len(group) == 1:
            _fail(group, error)
            return
        for each in group:
            self._commit([each])


def _write(tx: Transaction, group: Sequence[WaitingWrite]) -> list[list[Any]]:
    answers = iter(group[0].write_all(tx, [item for each in group for item in each.items]))
    return [list(islice(answers, len(each.items))) for each in group]


def _fail(group: Sequence[WaitingWrite], error: BaseException) -> None:
    for each in group:
        each.answers.set_exception(error)

"""The kept file of an order becomes jobs page by page; whoever reads on begins where the last page ended."""

import json
from collections.abc import Iterator
from threading import Event

import pytest

from holdfast.api.anthropic.batch_creation import new_order
from holdfast.api.anthropic.batch_view import RequestReader
from holdfast.api.compatible import batch_import, order_reader
from holdfast.api.compatible.batch_import import BatchImporter
from holdfast.api.compatible.kept_lines import keep_content
from holdfast.client.installation import Installation
from holdfast.client.local import LocalBackend
from holdfast.model.batch_order import BatchOrder
from holdfast.model.errors import StorageUnavailable
from holdfast.model.ids import new_id
from holdfast.model.job import State
from holdfast.model.records import JobFilter
from holdfast.store.batch_orders import ask_cancel, find_order, list_bad_lines, open_order
from holdfast.store.jobs import list_jobs

API = "anthropic"


def line(name: str, **params: object) -> bytes:
    asked = {"model": "smart", "max_tokens": 5, "messages": [{"role": "user", "content": name}]}
    return json.dumps({"custom_id": name, "params": asked | params}).encode()


@pytest.fixture
def installation(settings, store):
    made = Installation(settings)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def small_pages(monkeypatch) -> None:
    monkeypatch.setattr(order_reader, "PAGE_LINES", 2)
    monkeypatch.setattr(batch_import, "LEASE", -1.0)  # whoever comes next may read on at once


def importer(installation: Installation) -> BatchImporter:
    return BatchImporter(installation, {API: lambda _installation, _order: RequestReader()})


def ordered(store, *lines: bytes) -> BatchOrder:
    """Keep lines, some of them blank, and open their order."""
    file = new_id()
    keep_content(store, file, [b"\n".join(lines)])
    count = sum(bool(each.strip()) for each in lines)
    return store.write(open_order, new_order("default", file, count, "f" * 32))


def names(store) -> dict[int, str]:
    return {job.position: job.custom_id for job in store.read(list_jobs, JobFilter(), 100)}


def test_every_line_becomes_one_job_in_its_place(installation, store) -> None:
    order = ordered(store, *(line(f"r{n}") for n in range(7)))
    assert importer(installation).read_one() is True
    assert names(store) == {n: f"r{n}" for n in range(7)}
    now = store.read(find_order, order.batch, API)
    assert (now.next_line, now.live, now.read_at is not None) == (7, 7, True)
    assert importer(installation).read_one() is False


def test_jobs_of_a_page_are_taken_in_the_order_of_their_lines(installation, store) -> None:
    ordered(store, *(line(f"r{n}") for n in range(6)))
    importer(installation).read_one()
    by_id = sorted(store.read(list_jobs, JobFilter(), 100), key=lambda job: job.id)
    assert [job.position for job in by_id] == list(range(6))


def test_a_process_that_stops_leaves_the_rest_to_the_next(installation, store, monkeypatch) -> None:
    ordered(store, *(line(f"r{n}") for n in range(7)))
    first, keep = importer(installation), BatchImporter._keep

    def stop_behind(self: BatchImporter, order: BatchOrder, page: order_reader.ImportPage) -> object:
        self.stop()
        return keep(self, order, page)

    monkeypatch.setattr(BatchImporter, "_keep", stop_behind)
    first.read_one()
    assert names(store) == {0: "r0", 1: "r1"}
    monkeypatch.setattr(BatchImporter, "_keep", keep)
    importer(installation).read_one()
    assert names(store) == {n: f"r{n}" for n in range(7)}


def test_two_processes_that_read_at_once_make_each_job_once(installation, store, monkeypatch) -> None:
    """The lease of the first ran out while it read its page."""
    ordered(store, *(line(f"r{n}") for n in range(5)))
    other, keep = importer(installation), BatchImporter._keep

    def late(self: BatchImporter, order: BatchOrder, page: order_reader.ImportPage) -> object:
        monkeypatch.setattr(BatchImporter, "_keep", keep)
        other.read_one()
        return keep(self, order, page)

    monkeypatch.setattr(BatchImporter, "_keep", late)
    importer(installation).read_one()
    assert sorted(job.custom_id for job in store.read(list_jobs, JobFilter(), 100)) == [f"r{n}" for n in range(5)]


def test_a_bad_line_is_told_by_its_place_and_its_number(installation, store) -> None:
    order = ordered(store, line("a"), b"", line("b", model="smrt"), b"  ", line("c", messages=[]))
    importer(installation).read_one()
    assert names(store) == {0: "a"}
    bad = store.read(list_bad_lines, order.batch)
    assert [(each.position, each.line, each.custom_id, each.code, each.param) for each in bad] == [
        (1, 3, "b", "not_found_error", "model"),
        (2, 5, "c", "invalid_request_error", "messages"),
    ]


def test_a_cancelled_order_is_worked_off_by_whoever_finds_it(installation, store) -> None:
    order = ordered(store, *(line(f"r{n}") for n in range(5)))
    importer(installation).read_one()
    store.write(ask_cancel, order.batch)
    assert store.read(find_order, order.batch, API).counts == {State.QUEUED: 5}
    importer(installation).read_one()
    importer(installation).read_one()
    now = store.read(find_order, order.batch, API)
    assert (now.counts, now.ended_at is not None) == ({State.CANCELLED: 5}, True)


def test_what_was_read_before_a_cancellation_ends_with_what_is_read_after_it(installation, store, monkeypatch) -> None:
    order, keep = ordered(store, *(line(f"r{n}") for n in range(5))), BatchImporter._keep

    def cancelled_behind(self: BatchImporter, order: BatchOrder, page: order_reader.ImportPage) -> object:
        kept = keep(self, order, page)
        store.write(ask_cancel, order.batch)
        return kept

    monkeypatch.setattr(BatchImporter, "_keep", cancelled_behind)
    importer(installation).read_one()
    assert store.read(find_order, order.batch, API).counts == {State.CANCELLED: 5}


def test_no_more_of_an_order_is_offered_than_a_window_holds(installation, store, monkeypatch) -> None:
    monkeypatch.setattr(batch_import, "OFFERED", 3)
    offered = list[int]()
    monkeypatch.setattr(installation.offers, "make", lambda offers: offered.append(len(offers)))
    ordered(store, *(line(f"r{n}") for n in range(8)))
    importer(installation).read_one()
    assert offered == [2, 1, 1, 1, 0]  # of pages of two: one job of each tells that there is more


def test_an_order_that_is_cancelled_through_our_own_api_starts_nothing_more(installation, store) -> None:
    order = ordered(store, line("a"))
    assert LocalBackend(installation).cancel_batch(order.batch)["cancelled"] == 0
    importer(installation).read_one()
    assert store.read(find_order, order.batch, API).counts == {State.CANCELLED: 1}


class WatchedPages:
    """Pages that tell when they are read."""

    def __init__(self, count: int) -> None:
        self.read = [Event() for _ in range(count)]

    def __iter__(self) -> Iterator[int]:
        for number, read in enumerate(self.read):
            read.set()
            yield number


def test_while_a_page_is_written_the_next_one_is_read_and_no_other() -> None:
    pages = WatchedPages(4)
    for number in batch_import.read_ahead(iter(pages)):
        following = pages.read[number + 1 : number + 2]
        assert all(each.wait(20) for each in following)
        assert not any(each.is_set() for each in pages.read[number + 2 :])
    assert all(each.is_set() for each in pages.read)


def test_what_fails_while_a_page_is_read_ahead_is_told_behind_the_page_before_it() -> None:
    def pages() -> Iterator[int]:
        yield 0
        raise StorageUnavailable("sqlite:///x", "locked")

    taken = list[int]()
    with pytest.raises(StorageUnavailable):
        taken.extend(batch_import.read_ahead(pages()))
    assert taken == [0]

"""An order becomes jobs page by page: no line twice and none out, whoever reads it and whoever dies."""

from dataclasses import replace

import pytest

from attempts import ended
from holdfast.model.batch_order import BadLine, BatchOrder, NewBatchOrder
from holdfast.model.ids import new_id
from holdfast.model.job import Need, State
from holdfast.model.reply import Usage
from holdfast.model.request import Request, Role, Text, Turn
from holdfast.model.step import Complete
from holdfast.store import Store
from holdfast.store.batch_orders import (
    ImportPage,
    add_page,
    ask_cancel,
    delete_order,
    find_open_orders,
    find_order,
    find_repeated_order,
    lease_order,
    list_bad_lines,
    list_orders,
    open_order,
)
from holdfast.store.cancel import cancel_all
from holdfast.store.claim import claim
from holdfast.store.file_chunks import drop_chunks, pack_chunk, read_chunk, write_chunks
from holdfast.store.new_job import NewJob
from holdfast.store.order_ends import end_orders
from holdfast.store.retention import delete_empty_batches
from store.scene import REPLY, Scene, new_job, permit

LONG, DAY = 60.0, 86_400.0  # seconds
ASKED = Request(turns=(Turn(role=Role.USER, parts=(Text(text="Hi"),)),))
API = "anthropic"


def new_order(lines: int = 3, **changes: object) -> NewBatchOrder:
    made = NewBatchOrder(
        batch=new_id(), tenant="default", api=API, endpoint="/v1/messages", file=new_id(), lines=lines,
        fingerprint="f" * 32, expires_in=DAY, completion_window="24h",
    )  # fmt: skip
    return replace(made, **changes)


def job_of(order: BatchOrder, position: int) -> NewJob:
    return new_job(request=ASKED, need=Need(1, 1), batch=order.batch, position=position)


def keep(store: Store, order: BatchOrder, jobs: int, *bad: BadLine, is_last: bool = False) -> list | None:
    made = [job_of(order, order.next_line + n) for n in range(jobs)]
    done = jobs + len(bad)
    page = ImportPage(made, bad, order.next_line + done, order.next_byte + done * 10, is_last=is_last)
    return store.write(add_page, order, page, LONG)


def found(store: Store, order: BatchOrder) -> BatchOrder:
    again = store.read(find_order, order.batch, API)
    assert again is not None
    return again


@pytest.fixture
def order(store: Store) -> BatchOrder:
    made = new_order()
    store.write(write_chunks, made.file, 0, [pack_chunk(b"one\ntwo\nthree\n")])
    return store.write(open_order, made)


def test_an_order_is_as_it_was_opened(store: Store) -> None:
    made = new_order(metadata={"run": "7"})
    opened = store.write(open_order, made)
    assert (opened.lines, opened.live, opened.metadata, opened.endpoint) == (3, 3, {"run": "7"}, "/v1/messages")
    assert opened.expires_at - opened.created_at == DAY
    assert (opened.read_at, opened.cancel_asked_at, opened.ended_at) == (None, None, None)
    assert store.write(open_order, made) == opened  # the commit's answer may have been lost


def test_a_page_becomes_jobs_and_moves_the_order_on_together(store: Store, order: BatchOrder) -> None:
    bad = BadLine(2, 3, "c", "invalid_request_error", "model: is missing.", "model")
    assert len(keep(store, order, 2, bad, is_last=True)) == 2
    now = found(store, order)
    assert (now.next_line, now.next_byte, now.bad_lines, now.live) == (3, 30, 1, 2)
    assert now.counts == {State.QUEUED: 2}
    assert store.read(list_bad_lines, order.batch) == [bad]
    assert store.read(list_bad_lines, order.batch, 2) == []


def test_a_page_that_another_process_has_read_changes_nothing(store: Store, order: BatchOrder) -> None:
    keep(store, order, 2)
    assert keep(store, order, 2) is None
    assert found(store, order).counts == {State.QUEUED: 2}


def test_an_order_is_read_by_one_process_at_a_time_until_its_lease_ends(store: Store, order: BatchOrder) -> None:
    assert store.read(find_open_orders).unread == (order.batch,)
    assert store.write(lease_order, LONG) == order
    assert store.write(lease_order, LONG) is None
    assert store.read(find_open_orders).unread == ()


def test_a_lease_that_has_run_out_is_anybodys(store: Store, order: BatchOrder) -> None:
    assert store.write(lease_order, -1.0) == order
    assert store.write(lease_order, LONG) == order


def test_the_content_of_a_file_that_nobody_else_has_goes_with_the_last_page(store: Store, order: BatchOrder) -> None:
    keep(store, order, 1)
    assert store.read(read_chunk, order.file, 0) == b"one\ntwo\nthree\n"
    keep(store, found(store, order), 2, is_last=True)
    assert store.read(read_chunk, order.file, 0) is None


def test_an_order_ends_with_its_last_job_and_keeps_its_counts(store: Store, order: BatchOrder) -> None:
    jobs = keep(store, order, 3, is_last=True)
    store.write(cancel_all, [one.id for one in jobs[:2]])
    assert store.read(find_open_orders).done == ()
    assert end_orders(store, [order.batch]) == 0
    assert found(store, order).ended_at is None
    store.write(cancel_all, [one.id for one in jobs])
    assert store.read(find_open_orders).done == (order.batch,)
    assert end_orders(store, [order.batch]) == 1
    ended = found(store, order)
    assert (ended.counts, ended.live) == ({State.CANCELLED: 3}, 0)
    assert ended.ended_at is not None
    assert store.read(find_open_orders).done == ()


def test_an_order_that_is_not_read_to_its_end_has_not_ended(store: Store, order: BatchOrder) -> None:
    store.write(cancel_all, [one.id for one in keep(store, order, 2)])
    end_orders(store, [order.batch])
    assert (found(store, order).ended_at, found(store, order).live) == (None, 1)


def test_what_is_read_after_a_cancellation_is_cancelled(store: Store, order: BatchOrder) -> None:
    keep(store, order, 1)
    store.write(ask_cancel, order.batch)
    asked_at = found(store, order).cancel_asked_at
    assert keep(store, found(store, order), 2, is_last=True) == []
    assert found(store, order).counts == {State.QUEUED: 1, State.CANCELLED: 2}
    store.write(ask_cancel, order.batch)
    assert found(store, order).cancel_asked_at == asked_at


def test_the_same_creation_is_found_for_a_while_and_only_by_its_tenant(store: Store, order: BatchOrder) -> None:
    assert store.read(find_repeated_order, "default", "f" * 32, LONG) == order
    assert store.read(find_repeated_order, "other", "f" * 32, LONG) is None
    assert store.read(find_repeated_order, "default", "e" * 32, LONG) is None
    assert store.read(find_repeated_order, "default", "f" * 32, -1.0) is None


def test_nobody_sees_an_order_of_another_tenant_or_another_api(store: Store, order: BatchOrder) -> None:
    assert store.read(find_order, order.batch, API, "other") is None
    assert store.read(find_order, order.batch, "openai") is None
    assert store.read(list_orders, API, "other", 10) == store.read(list_orders, "openai", None, 10) == []


def test_pages_of_orders_are_newest_first_in_both_directions(store: Store) -> None:
    made = [store.write(open_order, new_order()).batch for _ in range(4)]
    newest = sorted(made, reverse=True)

    def listed(**where: str) -> list[str]:
        return [each.batch for each in store.read(list_orders, API, "default", 2, **where)]

    assert listed() == newest[:2]
    assert listed(after=newest[1]) == newest[2:]
    assert listed(before=newest[3]) == newest[1:3]


def test_a_deleted_order_is_shown_no_more(store: Store, order: BatchOrder) -> None:
    store.write(delete_order, order.batch)
    assert store.read(find_order, order.batch, API) is None
    assert store.read(list_orders, API, None, 10) == []


def test_retention_spares_what_is_still_to_be_read_and_takes_the_rest(store: Store, order: BatchOrder) -> None:
    far = 2**52  # microseconds: long after every job here
    store.write(write_chunks, new_id(), 0, [pack_chunk(b"an upload that broke off")])
    broken = store.read(lambda tx: tx.connection.exec_driver_sql("select count(*) from file_chunk").scalar_one())
    store.write(delete_empty_batches, far)
    left = store.read(lambda tx: tx.connection.exec_driver_sql("select count(*) from file_chunk").scalar_one())
    assert (broken, left) == (2, 1)
    keep(store, found(store, order), 0, BadLine(0, 1, None, "x", "y"), is_last=True)
    end_orders(store, [order.batch])
    store.write(delete_empty_batches, far)
    assert store.read(find_order, order.batch, API) is None
    assert store.read(list_bad_lines, order.batch) == []


def test_chunks_come_back_as_they_were_whatever_they_begin_with(store: Store) -> None:
    file, parts = new_id(), [b"x" * 5_000, b"\x78\x9c not compressed", b""]
    store.write(write_chunks, file, 0, [pack_chunk(part) for part in parts])
    assert [store.read(read_chunk, file, number) for number in range(4)] == [*parts, None]
    store.write(drop_chunks, file)
    assert store.read(read_chunk, file, 0) is None


def test_an_order_keeps_the_tokens_of_its_answers_and_the_model_that_gave_all_of_them(scene: Scene) -> None:
    used = Usage(input=12, output=3, cached=5, reasoning=2)
    for routes, model in ((["a/m", "b/m"], "m"), (["a/m", "b/x", "c/m"], None)):
        order = scene.store.write(open_order, new_order(lines=len(routes) + 1))
        ids = [one.id for one in keep(scene.store, order, len(routes) + 1, is_last=True)]
        for id_, route in zip(ids, routes, strict=False):
            asked = permit(id_, route)
            [job] = scene.store.write(claim, scene.worker, [asked])
            scene.finish(ended(job, asked, REPLY.model_copy(update={"usage": used}), Complete()))
        scene.store.write(cancel_all, ids[-1:])
        assert found(scene.store, order).usage is None
        assert end_orders(scene.store, [order.batch]) == 1
        closed, times = found(scene.store, order), len(routes)
        assert closed.usage == Usage(input=12 * times, output=3 * times, cached=5 * times, reasoning=2 * times)
        assert closed.model == model


def test_an_order_without_an_answer_has_neither_tokens_nor_a_model(store: Store, order: BatchOrder) -> None:
    store.write(cancel_all, [one.id for one in keep(store, order, 3, is_last=True)])
    end_orders(store, [order.batch])
    assert (found(store, order).usage, found(store, order).model) == (None, None)

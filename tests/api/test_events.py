"""Events over HTTP: a page, or a stream that goes on where it was left, whoever stopped in between."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest

from api.keys import add_key, bearer
from holdfast.config import Settings
from holdfast.store.batch_ends import tell_batch_ends
from holdfast.store.outbox import delete_events
from producing import StandInWorker, served

JSON = {"Accept": "application/json"}
URL = "/api/v1/events"


def submit(api, *prompts: str, **fields) -> dict:
    body = {"model": "smart", "jobs": [{"prompt": each, "custom_id": each} for each in prompts]} | fields
    return api.post("/api/v1/jobs", json=body).json()


def page(api, key: str | None = None, **query) -> dict:
    answer = api.get(URL, params=query, headers=JSON | (bearer(key) if key else {}))
    assert answer.status_code == 200, answer.text
    return answer.json()


def names(events: list[dict]) -> list[str | None]:
    return [event["custom_id"] for event in events]


def test_a_page_tells_what_ended_and_leads_on(api, worker: StandInWorker) -> None:
    submit(api, "a", "b", "c")
    worker.answer(jobs=2)
    first = page(api, limit=1)
    second = page(api, after=first["next"])
    assert names([*first["events"], *second["events"]]) == ["a", "b"]
    assert page(api, after=second["next"]) == {"events": [], "next": second["next"]}
    worker.bury()
    [event] = page(api, after=second["next"])["events"]
    assert (event["kind"], event["status"], event["fault"]) == ("job.dead", "dead", "invalid_request")


def test_filters_narrow(api, worker: StandInWorker, store) -> None:
    one, other = submit(api, "a"), submit(api, "b")
    worker.answer(jobs=1)
    worker.bury()
    store.write(lambda tx: tx.connection.exec_driver_sql("update job set created_at = 0"))
    tell_batch_ends(store)
    assert names(page(api, batch=one["batch"], kind="job.succeeded")["events"]) == ["a"]
    assert names(page(api, job=other["jobs"][0]["id"])["events"]) == ["b"]
    assert names(page(api, kind=["job.dead", "job.expired"])["events"]) == ["b"]
    assert [each["batch"] for each in page(api, kind="batch.ended")["events"]] == [one["batch"], other["batch"]]
    assert page(api, model="other")["events"] == []


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"kind": "job.end"}, 422),
        ({"kinds": "job.dead"}, 422),
        ({"after": "yesterday"}, 422),
        ({"job": "job_" + "0" * 32}, 404),
        ({"batch": "batch_" + "0" * 32}, 404),
        ({"after": "evt_" + "9" * 32}, 404),
    ],
)
def test_what_cannot_be_meant_is_refused_before_a_stream_begins(api, query, status) -> None:
    for headers in ({}, JSON):
        answer = api.get(URL, params=query, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_an_id_whose_successors_were_deleted_is_gone(api, store, worker: StandInWorker) -> None:
    submit(api, "a", "b")
    worker.answer(jobs=1)
    [event] = page(api)["events"]
    worker.answer()
    store.write(lambda tx: tx.connection.exec_driver_sql("update outbox set at = 0"))
    store.write(delete_events, 60)
    answer = api.get(URL, headers={"Last-Event-ID": event["id"]})
    assert (answer.status_code, answer.json()["code"]) == (410, "events_gone")
    assert page(api, after="oldest")["events"] == page(api)["events"] == []


def test_an_id_of_another_installation_is_not_found(api) -> None:
    answer = api.get(URL, headers={"Last-Event-ID": f"evt_{'f' * 15}{'0' * 17}"})
    assert (answer.status_code, answer.json()["code"]) == (404, "events_gone")


def test_an_empty_page_can_be_waited_for(settings: Settings, store) -> None:
    with served(settings) as url, httpx2.Client(base_url=url) as client:
        submit(client, "a")
        start, worker = page(client, after="newest")["next"], StandInWorker(store)
        later = threading.Timer(0.1, worker.answer)
        later.start()
        answer = client.get(URL, params={"after": start}, headers=JSON | {"Prefer": "wait=30"})
        later.join()
        assert names(answer.json()["events"]) == ["a"]
        assert answer.headers["preference-applied"] == "wait=30"
        assert client.get(URL, params={"after": answer.json()["next"]}, headers=JSON).json()["events"] == []


class Stream:
    """A reader of a stream, as a browser's: events by their ids, and the last id to hand back."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines, self.last = lines, ""

    def events(self, count: int) -> list[tuple[str, str]]:
        """The kinds and custom ids of the next events; what has no data is none."""
        found, kind, data = [], "", ""
        while len(found) < count:
            name, _, value = next(self.lines).partition(": ")
            if name == "id":
                self.last = value
            elif name == "event":
                kind = value
            elif name == "data":
                data = value
            elif not name and data:
                found.append((kind, httpx2.Response(200, text=data).json()["custom_id"]))
                kind, data = "", ""
        return found


@contextmanager
def streaming(url: str, last: str = "", **query) -> Iterator[Stream]:
    headers = {"Last-Event-ID": last} if last else {}
    with httpx2.stream("GET", url + URL, params=query, headers=headers, timeout=20) as answer:
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["cache-control"] == "no-cache"
        stream = Stream(answer.iter_lines())
        assert next(stream.lines).startswith("retry: ")
        yield stream


def test_a_stream_goes_on_where_it_was_left_after_the_server_was_away(settings: Settings, store) -> None:
    worker = StandInWorker(store)
    with served(settings) as url:
        submit(httpx2.Client(base_url=url), "a", "b", "c", "d", "e")
        with streaming(url) as stream:
            worker.answer(jobs=2)
            assert stream.events(1) == [("job.succeeded", "a")]
            last = stream.last
    worker.answer(jobs=1)
    with served(settings) as url, streaming(url, last) as stream:
        worker.bury(jobs=1)
        assert stream.events(3) == [("job.succeeded", "b"), ("job.succeeded", "c"), ("job.dead", "d")]
        worker.answer()
        assert stream.events(1) == [("job.succeeded", "e")]


def test_a_stream_that_nothing_was_sent_on_has_an_id_to_go_on_from(settings: Settings, store) -> None:
    worker = StandInWorker(store)
    with served(settings) as url:
        submit(httpx2.Client(base_url=url), "a")
        with streaming(url) as stream:
            assert next(stream.lines).startswith(":")
            last = next(stream.lines).removeprefix("id: ")
        worker.answer()
        with streaming(url, last) as stream:
            assert stream.events(1) == [("job.succeeded", "a")]


def test_a_tenant_hears_nothing_of_others(api, store, worker: StandInWorker) -> None:
    mine, theirs = add_key(store, "mine"), add_key(store, "theirs")
    for key, name in ((mine, "a"), (theirs, "b")):
        jobs = [{"prompt": name, "custom_id": name}]
        answer = api.post("/api/v1/jobs", json={"model": "smart", "jobs": jobs}, headers=bearer(key)).json()
    worker.answer()
    assert names(page(api, mine)["events"]) == ["a"]
    assert names(page(api, theirs)["events"]) == ["b"]
    for query in ({"batch": answer["batch"]}, {"job": answer["jobs"][0]["id"]}):
        assert api.get(URL, params=query, headers=bearer(mine)).status_code == 404
    assert api.get(URL, params={"tenant": "theirs"}, headers=bearer(mine)).status_code == 403

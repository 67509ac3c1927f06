"""The backend that is a Holdfast server: the same work through /api/v1.

Every submit carries an idempotency key, so that it can be sent again after a connection broke without making new jobs.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
import orjson

from holdfast.client.api_connection import ApiConnection, checked_url, query_of
from holdfast.client.backend import Control, Force, View
from holdfast.client.end_hints import OnEnded
from holdfast.client.list_filters import AUDIT, BATCHES, DEAD_LETTERS, EVENTS, JOBS, write_filters
from holdfast.client.server_link import ServerRequest
from holdfast.client.submit_request import Accepted, AcceptedJob, Item, JobDefaults, SubmitRequest
from holdfast.model import exact_json
from holdfast.model.ids import inner_id, new_id, public_id
from holdfast.model.job import TERMINAL, State

if TYPE_CHECKING:
    import httpx2

    from holdfast.client.answer import Answer
    from holdfast.client.bulk_order import BulkOrder
    from holdfast.client.output_form import OutputForm, OutputLine
    from holdfast.client.waiting import PlainSleeper
    from holdfast.model.call_result import ProviderResponse
    from holdfast.model.event import EventFilter
    from holdfast.model.records import AuditFilter, BatchFilter, JobFilter

RESTARTED = 6  # tries, a quarter of a minute in all: `holdfast up` starts its API again within that
MOST_JOBS = 1_000  # in one request, as the server accepts them
MOST_BYTES = 16 * 1024 * 1024  # of one request; the server's cap is twice that
STATUS, REQUEST_ID = "x-holdfast-status", "x-holdfast-request-id"  # the provider's own, of a response
OPERATION_LOOK = 0.3  # seconds between two questions how far an operation is
MOST_IDS = 100  # in one question for states
LINE = ("custom_id", "id", "status", "reply", "error", "route", "cost_usd", "mapping")


class PageEntry(msgspec.Struct):
    """One line of a page of results, as the server writes it beside what it says of it."""

    position: int
    error: str | None
    cost_usd: float | None
    line: msgspec.Raw


class LinePage(msgspec.Struct):
    """A page of results in one of the forms of an output."""

    results: list[PageEntry]


class HttpBackend:
    """Safe to share between threads. What it does is imported where it is done: most commands only look.

    ``reads``: items are read here, too, so that every problem is found before anything is sent.
    """

    def __init__(self, api: ApiConnection, *, reads: bool = True) -> None:
        self._api, self._reads = api, reads

    @classmethod
    def of_server(
        cls, url: str, key: str | None = None, *, transport: "httpx2.BaseTransport | None" = None
    ) -> "HttpBackend":
        """Ask the server at ``url``. Whose jobs are seen, ``key`` decides; None where it wants none."""
        from holdfast.client.network_link import NetworkLink  # noqa: PLC0415 - the class says why

        return cls(ApiConnection(NetworkLink(checked_url(url), key, transport)))

    @classmethod
    def of_pool(cls, socket: Path) -> "HttpBackend":
        """Ask the pool that `holdfast up` runs in this folder, as whoever operates it; it may be starting again."""
        from holdfast.client.pool_link import PoolLink  # noqa: PLC0415 - the same

        return cls(ApiConnection(PoolLink(socket), RESTARTED), reads=False)

    @property
    def installation(self) -> None:
        """The server's, which looks after all of it."""

    # Jobs

    def submit(self, request: SubmitRequest) -> Accepted:
        if self._reads:
            from holdfast.client.job_items import read_jobs  # noqa: PLC0415 - the class says why
            from holdfast.client.job_templates import JobTemplates  # noqa: PLC0415 - the same

            read_jobs(request.items, request.defaults, None, JobTemplates())
        key, batch, accepted = request.key or new_id(), request.batch, list[AcceptedJob]()
        for part in parts([wire_item(item) for item in request.items]):
            body = b'{"jobs":[%s],%s' % (b",".join(part), orjson.dumps(_about(request, batch, len(accepted)))[1:])
            answer = self._api.post("/jobs", body, {"Idempotency-Key": key})
            accepted += [AcceptedJob(job["id"], job["created"]) for job in answer["jobs"]]
            batch = answer["batch"]
        return Accepted(accepted, batch)

    def estimate(self, items: Sequence[Item], defaults: JobDefaults) -> View:
        from holdfast.client.cost_estimate import joined_estimate  # noqa: PLC0415 - the class says why

        about = orjson.dumps({"name": "", **_told(defaults)})[1:]
        bodies = (b'{"jobs":[%s],%s' % (b",".join(part), about) for part in parts([wire_item(item) for item in items]))
        return joined_estimate(self._api.post("/jobs/estimate", body) for body in bodies)

    def states(self, jobs: Sequence[str]) -> Mapping[str, State]:
        found: dict[str, State] = {}
        for start in range(0, len(jobs), MOST_IDS):
            page = self._api.get("/jobs", id=list(jobs[start : start + MOST_IDS]), limit=MOST_IDS)
            found |= {job["id"]: State(job["status"]) for job in page["jobs"]}
        return found

    def hints(self, on_ended: OnEnded) -> None:
        """Nothing tells of ended jobs here: whoever waits polls."""

    def sleeper(self, _job: str) -> "PlainSleeper":
        from holdfast.client.waiting import PlainSleeper  # noqa: PLC0415 - the class says why

        return PlainSleeper()

    def answer(self, job: str) -> "Answer | None":
        from holdfast.client.answer import Answer  # noqa: PLC0415 - the class says why

        view = self.job(job)
        return Answer.read(line_of(view)) if State(view["status"]) in TERMINAL else None

    def jobs(self, where: "JobFilter", limit: int, cursor: str | None = None) -> View:
        return self._api.get("/jobs", **write_filters(JOBS, where), limit=limit, cursor=cursor)

    def job(self, job: str) -> View:
        return self._api.get(_job_path(job))

    def response(self, job: str) -> "ProviderResponse":
        from holdfast.model.call_result import ProviderResponse  # noqa: PLC0415 - the class says why

        answer = self._api.fetch(f"{_job_path(job)}/response")
        status = int(answer.headers.get(STATUS, "200"))
        return ProviderResponse(status, answer.content, answer.headers.get(REQUEST_ID))

    def cancel(self, job: str) -> View:
        return self._api.post(f"{_job_path(job)}/cancel")

    # Batches

    def batches(self, limit: int, cursor: str | None = None, where: "BatchFilter | None" = None) -> View:
        return self._api.get("/batches", **write_filters(BATCHES, where), limit=limit, cursor=cursor)

    def batch(self, batch: str) -> View:
        return self._api.get(_batch_path(batch))

    def counts(self, batch: str) -> Mapping[State, int]:
        return {State(state): count for state, count in self.batch(batch)["counts"].items()}

    def spent(self, batch: str) -> float:
        return float(self._api.get(f"{_batch_path(batch)}/cost")["cost_usd"])

    def results(self, batch: str, after: int, limit: int) -> View:
        return self._api.get(f"{_batch_path(batch)}/results", after=after, limit=limit)

    def output_lines(self, batch: str, after: int, limit: int, form: "OutputForm") -> "Sequence[OutputLine]":
        from holdfast.client.output_form import OutputLine  # noqa: PLC0415 - the class says why

        page = self._api.fetch(f"{_batch_path(batch)}/results", after=after, limit=limit, output=form.value)
        return [
            OutputLine(line.position, line.error, line.cost_usd, bytes(line.line))
            for line in msgspec.json.decode(page.content, type=LinePage).results
        ]

    def cancel_batch(self, batch: str) -> View:
        return self._api.post(f"{_batch_path(batch)}/cancel")

    # Events

    def events(self, where: "EventFilter", after: str, limit: int, wait: float = 0.0) -> View:
        query = query_of({**write_filters(EVENTS, where), "after": after, "limit": limit})
        headers = {"Prefer": f"wait={ceil(wait)}"} if wait > 0 else {}
        found = self._api.ask(ServerRequest("GET", f"/events{query}", headers=headers))
        return exact_json.loads(found.content)  # type: ignore[no-any-return] # always an object

    # Lanes, routes, and the state of everything

    def lanes(self) -> View:
        return self._api.get("/lanes")

    def pause(self, lane: str, *, paused: bool) -> View:
        return self._api.post(f"/lanes/{quote(lane)}/{'pause' if paused else 'resume'}")

    def routes(self) -> View:
        return self._api.get("/routes")

    def force(self, route: str, want: Force) -> View:
        return self._api.post(f"/routes/{quote(route)}/{'open' if want == 'open' else 'close'}")

    def reset(self, route: str) -> View:
        return self._api.post(f"/routes/{quote(route)}/reset")

    def status(self) -> View:
        return self._api.get("/status")

    def ledger(self) -> View:
        return self._api.get("/ledger")

    def diagnose(self, provider: str | None, *, with_calls: bool = True) -> View:
        return self._api.get("/diagnose", provider=provider, calls=with_calls)

    def audit(self, where: "AuditFilter", limit: int, cursor: str | None = None) -> View:
        return self._api.get("/audit", **write_filters(AUDIT, where), limit=limit, cursor=cursor)

    # Dead letters

    def dead_groups(self, where: "JobFilter") -> View:
        return self._api.get("/dlq/groups", **write_filters(DEAD_LETTERS, where))

    def plan_bulk(self, order: "BulkOrder") -> View:
        view = self._api.post(f"/dlq/{order.action}", _order(order) | {"dry_run": True})
        return {name: value for name, value in view.items() if name != "operation"}  # a dry run makes none

    def act(self, order: "BulkOrder", wait: float | None) -> View:
        view, until = self._api.post(f"/dlq/{order.action}", _order(order)), time.monotonic() + (wait or 0.0)
        while view["state"] == "running" and (wait is None or time.monotonic() < until):
            time.sleep(OPERATION_LOOK)
            view = self.operation(view["operation"])
        return view

    def operations(self) -> View:
        return self._api.get("/dlq/operations")

    def operation(self, operation: str, control: Control = "show") -> View:
        path = f"/dlq/operations/{public_id('op', inner_id('op', operation))}"
        return self._api.get(path) if control == "show" else self._api.post(f"{path}/{control}")

    def export(self, operation: str, to: Path) -> None:
        from holdfast.client.export_file import new_file  # noqa: PLC0415 - the class says why

        with new_file(to) as file:
            self._api.download(_export_path(operation), file)

    def delete_export(self, operation: str) -> None:
        self._api.ask(ServerRequest("DELETE", _export_path(operation)))

    def close(self) -> None:
        self._api.close()


def _job_path(job: str) -> str:
    return f"/jobs/{public_id('job', inner_id('job', job))}"


def _export_path(operation: str) -> str:
    return f"/dlq/exports/{public_id('op', inner_id('op', operation))}"


def _batch_path(batch: str) -> str:
    return f"/batches/{public_id('batch', inner_id('batch', batch))}"


def _about(request: SubmitRequest, batch: str | None, done: int) -> dict[str, Any]:
    """Write what holds for all jobs of a request, of which ``done`` have been sent."""
    about: dict[str, Any] = {"name": request.name, "first": request.first + done}
    if batch or not request.many:
        about["batch"] = batch
    if request.webhook:
        about["webhook"] = request.webhook
    return about | _told(request.defaults)


def _told(defaults: JobDefaults) -> dict[str, Any]:
    """Write what holds for jobs that say nothing, as far as it says anything."""
    told, start = asdict(defaults), defaults.not_before
    told["not_before"] = start and str(start)
    return {name: value for name, value in told.items() if value is not None}


def _bulk(where: "JobFilter", limit: int | None) -> dict[str, Any]:
    given = write_filters(DEAD_LETTERS, where)
    return given | {"all": not given, "dry_run": False, "limit": limit}


def _order(order: "BulkOrder") -> dict[str, Any]:
    given: dict[str, Any] = _bulk(order.where, order.limit)
    if order.action == "replay":
        given |= {"per_minute": order.per_minute, "edit": asdict(order.edit)}
    return given


def line_of(view: Mapping[str, Any]) -> dict[str, Any]:
    """Cut the view of an ended job down to its output line."""
    calls = [attempt for attempt in view["attempts"] if attempt["generation"] == view["generation"]]
    return {name: view[name] for name in LINE} | {"attempts": len(calls)}


def wire_item(item: Item) -> bytes:
    """Write one item as the JSON that the server reads in ``jobs``."""
    match item:
        case str():
            return orjson.dumps({"prompt": item})
        case bytes() | msgspec.Raw():
            return bytes(item).strip()
        case Mapping():
            return exact_json.dumps(item)
        case _:
            return b'{"request":%s}' % item.model_dump_json().encode()


def parts(items: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Cut items into requests that the server accepts; at least one, so that an empty batch is made too."""
    part, size = list[bytes](), 0
    for item in items:
        if part and (len(part) == MOST_JOBS or size + len(item) > MOST_BYTES):
            yield part
            part, size = [], 0
        part.append(item)
        size += len(item)
    yield part

"""The backend that is a Holdfast server: the same work through /api/v1.

Every submit carries an idempotency key, so that it can be sent again after a connection broke without making new jobs.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

import httpx2
import orjson

from holdfast.client.answer import Answer
from holdfast.client.backend import Accepted, AcceptedJob, Item, SubmitRequest
from holdfast.client.errors import InvalidJobs, JobProblem, ServerRefused, ServerUnauthorized, ServerUnavailable
from holdfast.client.intake import read_items
from holdfast.model.errors import Conflict, Forbidden, NotFound
from holdfast.model.ids import inner_id, new_id, public_id
from holdfast.model.job import TERMINAL, State
from holdfast.model.request import Request

MOST_JOBS = 1_000  # in one request, as the server accepts them
MOST_BYTES = 16 * 1024 * 1024  # of one request; the server's cap is twice that
MOST_IDS = 100  # in one question for states
SECONDS = 60.0  # for one answer
TRIES, PAUSE = 4, 0.5  # of one request; seconds, doubling
LINE = ("custom_id", "id", "status", "reply", "error", "route", "cost_usd", "mapping")
UNAVAILABLE = frozenset({502, 503, 504})


class HttpBackend:
    """Safe to share between threads. ``key`` is an API key of the server, None where it wants none."""

    def __init__(self, url: str, key: str | None = None, *, transport: httpx2.BaseTransport | None = None) -> None:
        self.url = url.rstrip("/")
        ours = httpx2.URL(self.url).host in {"127.0.0.1", "::1", "localhost"}
        self._http = httpx2.Client(
            base_url=f"{self.url}/api/v1",
            timeout=httpx2.Timeout(SECONDS, connect=5.0),
            transport=transport,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            trust_env=not ours,  # a proxy of the environment cannot reach our own loopback
        )

    def submit(self, order: SubmitRequest) -> Accepted:
        read_items(order.items, order.defaults, None)  # every problem at once, before anything is sent
        key, batch, taken = order.key or new_id(), order.batch, list[AcceptedJob]()
        for part in parts([wire_item(item) for item in order.items]):
            body = b'{"jobs":[%s],%s' % (b",".join(part), orjson.dumps(self._about(order, batch, len(taken)))[1:])
            answer = self.call("POST", "/jobs", content=body, headers={"Idempotency-Key": key})
            taken += [AcceptedJob(inner_id("job", job["id"]), job["created"]) for job in answer["jobs"]]
            batch = inner_id("batch", answer["batch"]) if answer["batch"] else None
        return Accepted(taken, batch)

    def _about(self, order: SubmitRequest, batch: str | None, done: int) -> dict[str, Any]:
        about: dict[str, Any] = {"name": order.name, "first": order.first + done}
        if batch or not order.many:
            about["batch"] = public_id("batch", batch) if batch else None
        given = {
            "model": order.defaults.model,
            "priority": order.defaults.priority,
            "expires_in": order.defaults.expires_in,
        }
        return about | {name: value for name, value in given.items() if value is not None}

    def states(self, ids: Sequence[str]) -> Mapping[str, State]:
        found: dict[str, State] = {}
        for start in range(0, len(ids), MOST_IDS):
            some = [public_id("job", id_) for id_ in ids[start : start + MOST_IDS]]
            page = self.call("GET", "/jobs", params={"id": some, "limit": MOST_IDS})
            found |= {inner_id("job", job["id"]): State(job["status"]) for job in page["jobs"]}
        return found

    def answer(self, job: str) -> Answer | None:
        view = self.call("GET", f"/jobs/{public_id('job', job)}")
        return Answer.read(line_of(view)) if State(view["status"]) in TERMINAL else None

    def finished(self, batch: str, after: int, limit: int) -> list[tuple[int, Answer]]:
        name = public_id("batch", batch)
        page = self.call("GET", f"/batches/{name}/results", params={"after": after, "limit": limit})
        return [(line.pop("position"), Answer.read(line)) for line in page["results"]]

    def counts(self, batch: str) -> Mapping[State, int]:
        record = self.call("GET", f"/batches/{public_id('batch', batch)}")
        return {State(state): count for state, count in record["counts"].items()}

    def cancel(self, job: str) -> State:
        return State(self.call("POST", f"/jobs/{public_id('job', job)}/cancel")["status"])

    def cancel_batch(self, batch: str) -> int:
        return int(self.call("POST", f"/batches/{public_id('batch', batch)}/cancel")["cancelled"])

    def download(self, path: str, to: IO[bytes]) -> None:
        """Write what stands at ``path`` to a file. Raises ServerUnavailable."""
        try:
            with self._http.stream("GET", path) as response:
                response.raise_for_status()
                for block in response.iter_bytes():
                    to.write(block)
        except httpx2.HTTPError as error:
            raise ServerUnavailable(self.url, str(error) or type(error).__name__) from error

    def close(self) -> None:
        self._http.close()

    def call(self, method: str, path: str, **how: Any) -> Any:
        """Make one request, again where the server was away: all of ours may be repeated."""
        pause = PAUSE
        for left in reversed(range(TRIES)):
            try:
                return self._once(method, path, **how)
            except ServerUnavailable:
                if not left:
                    raise
            time.sleep(pause)
            pause *= 2
        raise AssertionError

    def _once(self, method: str, path: str, **how: Any) -> Any:
        try:
            response = self._http.request(method, path, **how)
        except httpx2.TransportError as error:
            raise ServerUnavailable(self.url, str(error) or type(error).__name__) from error
        if response.status_code in UNAVAILABLE:
            raise ServerUnavailable(self.url, str(problem_of(response).get("detail", response.status_code)))
        if not response.is_success:
            raise refusal(response.status_code, problem_of(response))
        return orjson.loads(response.content)


def line_of(view: Mapping[str, Any]) -> dict[str, Any]:
    """Cut the view of an ended job down to its output line."""
    calls = [attempt for attempt in view["attempts"] if attempt["generation"] == view["generation"]]
    return {name: view[name] for name in LINE} | {"attempts": len(calls)}


def problem_of(response: httpx2.Response) -> Mapping[str, Any]:
    """Read a problem document; whatever else stands there is its title."""
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        body = None
    return body if isinstance(body, dict) else {"title": response.text[:200] or response.reason_phrase}


def refusal(status: int, body: Mapping[str, Any]) -> Exception:
    """Turn a problem document into the error that the storage itself would have raised."""
    match body.get("code"):
        case "invalid_request" if body.get("problems"):
            return InvalidJobs(tuple(JobProblem(**problem) for problem in body["problems"]))
        case "not_found" if "kind" in body:
            return NotFound(body["kind"], body["name"])
        case "conflict" if "what" in body:
            return Conflict(body["what"], body["why"])
        case "unauthorized":
            return ServerUnauthorized(str(body.get("detail", "the server knows no such API key.")))
        case "forbidden":
            return Forbidden(str(body.get("detail", "")).removeprefix("not allowed: ").rstrip("."))
        case _:
            return ServerRefused(status, body)


def wire_item(item: Item) -> bytes:
    """Write one item as the JSON that the server reads in ``jobs``."""
    match item:
        case str():
            return orjson.dumps({"prompt": item})
        case Request():
            return b'{"request":%s}' % item.model_dump_json().encode()
        case _:
            return orjson.dumps(item)


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

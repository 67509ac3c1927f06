"""Requests to the native API of a server; its refusals become the errors that the storage would have raised."""

import time
from collections.abc import Mapping
from typing import IO, Any

import httpx2
import orjson

from holdfast.client.errors import (
    InvalidJobs,
    JobProblem,
    NoResponse,
    NotHoldfast,
    ServerRefused,
    ServerUnauthorized,
    ServerUnavailable,
)
from holdfast.model import exact_json
from holdfast.model.errors import Conflict, Forbidden, InvalidRequest, NotFound
from holdfast.model.loopback import is_loopback
from holdfast.telemetry.tracing import is_tracing

SECONDS = 60.0  # for one answer
TRIES, PAUSE = 4, 0.5  # of one request; seconds, doubling
UNAVAILABLE = frozenset({502, 503, 504})


class ApiConnection:
    """Safe to share between threads. ``key`` is an API key of the server, None where it wants none."""

    def __init__(self, url: str, key: str | None = None, *, transport: httpx2.BaseTransport | None = None) -> None:
        self.url = checked_url(url).rstrip("/")
        ours = is_loopback(httpx2.URL(self.url).host)
        self._http = httpx2.Client(
            base_url=f"{self.url}/api/v1",
            timeout=httpx2.Timeout(SECONDS, connect=5.0),
            transport=transport,
            headers={"Accept": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {}),
            event_hooks={"request": [tell_span]},
            trust_env=not ours,  # a proxy of the environment cannot reach our own loopback
        )

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Read what stands at ``path``; parameters that are None are left out."""
        return self.call("GET", path, params={name: value for name, value in query.items() if value is not None})

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return self.call("POST", path, json=body or {})

    def call(self, method: str, path: str, **how: Any) -> dict[str, Any]:
        """Make one request, and read its answer. Raises as ``ask`` does."""
        return exact_json.loads(self.ask(method, path, **how).content)  # type: ignore[no-any-return] # always an object

    def fetch(self, path: str, **query: Any) -> httpx2.Response:
        """Read what stands at ``path`` as it is, without parsing it. Raises as ``ask`` does."""
        return self.ask("GET", path, params=query)

    def ask(self, method: str, path: str, **how: Any) -> httpx2.Response:
        """Make one request, again where the server was away: all of ours may be repeated.

        Raises: ServerUnavailable, and for a refusal the error that its problem document names.
        """
        for pause in (PAUSE * 2**number for number in range(TRIES - 1)):
            try:
                return self._ask_once(method, path, **how)
            except ServerUnavailable:
                time.sleep(pause)
        return self._ask_once(method, path, **how)

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

    def _ask_once(self, method: str, path: str, **how: Any) -> httpx2.Response:
        try:
            response = self._http.request(method, path, **how)
        except httpx2.TransportError as error:
            raise ServerUnavailable(self.url, str(error) or type(error).__name__) from error
        if response.status_code in UNAVAILABLE:
            raise ServerUnavailable(self.url, str(problem_of(response).get("detail", response.status_code)))
        if "json" not in response.headers.get("content-type", "json") and "/response" not in path:
            raise NotHoldfast(self.url, response.status_code)
        if not response.is_success:
            raise refusal(response.status_code, problem_of(response))
        return response


def tell_span(request: httpx2.Request) -> None:
    """Name the current span to the server, where somebody traces: its spans stand below that."""
    if is_tracing():
        from holdfast.telemetry.spans import TRACE_CONTEXT  # noqa: PLC0415 - somebody traces

        TRACE_CONTEXT.inject(request.headers)


BELOW = ("/api/v1", "/api", "/v1", "/docs", "/ui", "/openapi.json")  # paths of ours that are no addresses of a server


def checked_url(url: str) -> str:
    """Return the address of a server. Raises InvalidRequest where it is none."""
    if not url.startswith(("http://", "https://")):
        rest = url.partition("://")[2] or url
        raise InvalidRequest(
            "--server or HOLDFAST_URL", f"{url!r} has no http:// or https://.", f"Write http://{rest}."
        )
    for path in BELOW:
        if url.rstrip("/").endswith(path):
            address = url.rstrip("/").removesuffix(path)
            raise InvalidRequest("--server or HOLDFAST_URL", f"{url!r} names a page of a server.", f"Write {address}.")
    return url


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
            return NoResponse(body["name"]) if body["kind"] == "response" else NotFound(body["kind"], body["name"])
        case "conflict" if "what" in body:
            return Conflict(body["what"], body["why"])
        case "unauthorized":
            return ServerUnauthorized(str(body.get("detail", "the server knows no such API key.")))
        case "forbidden":
            return Forbidden(str(body.get("detail", "")).removeprefix("not allowed: ").rstrip("."))
        case _:
            return ServerRefused(status, body)

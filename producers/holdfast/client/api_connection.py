"""Requests to the native API of a server; its refusals become the errors that the storage would have raised."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import IO, Any
from urllib.parse import urlencode, urlsplit

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
from holdfast.client.server_link import ServerAnswer, ServerLink, ServerRequest
from holdfast.model import exact_json
from holdfast.model.errors import Conflict, EventsGone, Forbidden, InvalidRequest, NotFound
from holdfast.telemetry.tracing import is_tracing

TRIES, PAUSE = 4, 0.5  # of one request; seconds, doubling
UNAVAILABLE = frozenset({502, 503, 504})
SHOWN = 100  # bytes of somebody else's answer
OK, REFUSED = 200, 300  # status of a first good answer, and of the first that is none
JSON = {"Content-Type": "application/json"}


class ApiConnection:
    """Safe to share between threads. ``tries``: of each request, before nobody is said to be there."""

    def __init__(self, link: ServerLink, tries: int = TRIES) -> None:
        self._link, self._tries = link, tries

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """Read what stands at ``path``; parameters that are None are left out."""
        return self._call(ServerRequest("GET", f"{path}{query_of(query)}"))

    def post(
        self, path: str, body: Mapping[str, Any] | bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Send a body, and read the answer. Raises as ``ask`` does."""
        content = body if isinstance(body, bytes) else exact_json.dumps(body or {})
        return self._call(ServerRequest("POST", path, content, {**JSON, **(headers or {})}))

    def _call(self, request: ServerRequest) -> dict[str, Any]:
        return exact_json.loads(self.ask(request).content)  # type: ignore[no-any-return] # always an object

    def fetch(self, path: str, **query: Any) -> ServerAnswer:
        """Read what stands at ``path`` as it is, without parsing it. Raises as ``ask`` does."""
        return self.ask(ServerRequest("GET", f"{path}{query_of(query)}"))

    def ask(self, request: ServerRequest) -> ServerAnswer:
        """Make one request, again where the server was away: all of ours may be repeated.

        Raises: ServerUnavailable, and for a refusal the error that its problem document names.
        """
        request = replace(request, headers={**request.headers, **span_headers()})
        for pause in (PAUSE * 2**number for number in range(self._tries - 1)):
            try:
                return self._ask_once(request)
            except ServerUnavailable:
                time.sleep(pause)
        return self._ask_once(request)

    def download(self, path: str, to: IO[bytes]) -> None:
        """Write what stands at ``path`` to a file. Raises as ``ask`` does."""
        with self._link.open(path) as (answer, blocks):
            if answer.status >= REFUSED:
                told = replace(answer, content=b"".join(blocks))
                raise refusal(told.status, problem_of(told))
            to.writelines(blocks)

    def close(self) -> None:
        self._link.close()

    def _ask_once(self, request: ServerRequest) -> ServerAnswer:
        answer = self._link.send(request)
        if answer.status in UNAVAILABLE:
            raise ServerUnavailable(self._link.url, str(problem_of(answer).get("detail", answer.status)))
        if "json" not in answer.headers.get("content-type", "json") and "/response" not in request.path:
            raise NotHoldfast(self._link.url, answer.status)
        if not OK <= answer.status < REFUSED:
            problem = problem_of(answer)
            if "code" not in problem:  # every refusal of ours has one
                raise NotHoldfast(self._link.url, answer.status, answer.content[:SHOWN].decode(errors="replace"))
            raise refusal(answer.status, problem)
        return answer


def span_headers() -> dict[str, str]:
    """Name the current span to the server, where somebody traces: its spans stand below that."""
    named = dict[str, str]()
    if is_tracing():
        from holdfast.telemetry.spans import TRACE_CONTEXT  # noqa: PLC0415 - somebody traces

        TRACE_CONTEXT.inject(named)
    return named


def query_of(parameters: Mapping[str, Any]) -> str:
    """Write the query of an address; what is None is left out.

    >>> query_of({"limit": 5, "state": ["dead"], "calls": True, "cursor": None})
    '?limit=5&state=dead&calls=true'
    """
    told = {name: json_word(value) for name, value in parameters.items() if value is not None}
    return f"?{urlencode(told, doseq=True)}" if told else ""


def json_word(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


WHERE = "--server or HOLDFAST_URL"
BELOW = ("/api/v1", "/api", "/v1", "/docs", "/ui", "/openapi.json")  # paths of ours that are no addresses of a server


def checked_url(url: str) -> str:
    """Return the address of a server. Raises InvalidRequest where it is none."""
    if not url.startswith(("http://", "https://")):
        rest = (url.partition("://")[2] or url).strip(" \"'")
        raise InvalidRequest(WHERE, f"{url!r} has no http:// or https://.", f"Write http://{rest}.")
    if not names_a_host(url):
        raise InvalidRequest(WHERE, f"{url!r} names no host and port.", "Write it as `holdfast up` prints it.")
    for path in BELOW:
        if url.rstrip("/").endswith(path):
            address = url.rstrip("/").removesuffix(path)
            raise InvalidRequest(WHERE, f"{url!r} names a page of a server.", f"Write {address}.")
    return url.rstrip("/")


def names_a_host(url: str) -> bool:
    """Tell whether an address has a host, and no port that there cannot be.

    >>> [names_a_host(url) for url in ("http://h:1", "http://", "http://[::1", "http://h:99999", "http://a b")]
    [True, False, False, False, False]
    """
    try:
        parts = urlsplit(url)
        _ = parts.port  # a port that is no number shows itself only here
    except ValueError:
        return False
    return bool(parts.hostname) and not any(each.isspace() for each in parts.netloc)


def problem_of(answer: ServerAnswer) -> Mapping[str, Any]:
    """Read a problem document; whatever else stands there is its title."""
    try:
        body = orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        body = None
    text = answer.content[:200].decode(errors="replace")
    return body if isinstance(body, dict) else {"title": text or f"HTTP {answer.status}"}


def refusal(status: int, body: Mapping[str, Any]) -> Exception:
    """Turn a problem document into the error that the storage itself would have raised."""
    told, hint = str(body.get("detail", "")), str(body.get("hint", ""))
    match body:
        case {"code": "invalid_request", "problems": [_, *_] as problems}:
            error: Exception = InvalidJobs(tuple(JobProblem(**problem) for problem in problems))
        case {"code": "invalid_request", "where": where}:
            error = InvalidRequest(where, told.removeprefix(f"{where}: ").removesuffix(hint).strip(), hint)
        case {"code": "not_found", "kind": "response", "name": name}:
            error = NoResponse(name)
        case {"code": "not_found", "kind": kind, "name": name}:
            error = NotFound(kind, name, hint)
        case {"code": "conflict", "what": what, "why": why}:
            error = Conflict(what, why)
        case {"code": "events_gone", "after": after, "why": why}:
            error = EventsGone(after, why)
        case {"code": "unauthorized"}:
            error = ServerUnauthorized(told or "the server knows no such API key.")
        case {"code": "forbidden"}:
            error = Forbidden(told.removeprefix("not allowed: ").rstrip("."))
        case _:
            error = ServerRefused(status, body)
    return error

"""Caps hold while a request is read: bytes, time, brackets, room; and a connection has to come to the point."""

import asyncio
import gzip
import socket
import zlib

import orjson
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from holdfast.api import serving
from holdfast.api.body_limits import (
    FEWER_BYTES,
    MOST_BYTES,
    BodyLimitMiddleware,
    MemoryBudget,
    announced_size,
    parse_json,
)
from holdfast.api.header_timeout import HEAD_BYTES, HeaderTimeoutProtocol
from holdfast.api.serving import server_of
from holdfast.client import job_items
from holdfast.client.errors import InvalidJobs
from holdfast.client.submit_request import JobDefaults
from holdfast.model.errors import InvalidRequest
from holdfast.model.json_bounds import MOST_BRACKETS
from producing import running

JOBS = "/api/v1/jobs"
TEXT = {"type": "text", "text": ""}


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "x-unknown", "identity, gzip", "GZIP"])
def test_a_compressed_body_is_refused_before_it_is_read(api, coding) -> None:
    bomb = gzip.compress(b"[" * 10_000_000)
    answer = api.post(JOBS, content=bomb, headers={"Content-Encoding": coding})
    assert (answer.status_code, answer.json()["code"]) == (415, "compressed")
    assert "without Content-Encoding" in answer.json()["detail"]


def test_a_body_that_says_it_is_not_compressed_is_read(api) -> None:
    body = orjson.dumps({"model": "smart", "prompt": "a"})
    assert api.post(JOBS, content=body, headers={"Content-Encoding": "identity"}).status_code == 202


def test_compressed_bytes_that_do_not_say_so_are_no_json(api) -> None:
    assert api.post(JOBS, content=zlib.compress(b"{}")).status_code == 422


def test_a_length_beyond_the_cap_is_refused_without_reading(api) -> None:
    answer = api.post(JOBS, content=b"{}", headers={"Content-Length": str(MOST_BYTES + 1)})
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")


@pytest.mark.parametrize("path", ["/api/v1/dlq/replay", "/api/v1/lanes/smart.batch/pause"])
def test_where_no_prompts_are_sent_the_cap_is_smaller(api, path) -> None:
    assert api.post(path, content=b" " * (FEWER_BYTES + 1)).status_code == 413


@pytest.mark.parametrize("unit", [b"[],", b"{},", b'{"a":[]},'])
def test_brackets_are_counted_before_they_are_parsed(unit) -> None:
    body = b"[" + unit * MOST_BRACKETS + b"[]]"
    with pytest.raises(InvalidRequest, match="more than 1000000 brackets"):
        parse_json(body)


@pytest.mark.parametrize("unit", [b"[", b'{"a":'])
def test_a_deep_body_is_given_up_at_its_first_levels(unit) -> None:
    with pytest.raises(InvalidRequest, match="depth limit exceeded"):
        parse_json(unit * (MOST_BRACKETS - 1))
    with pytest.raises(InvalidRequest, match="nests deeper than 64 levels"):
        parse_json(b"[" * 500 + b"]" * 500)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e999", b"1" + b"0" * 5_000])
def test_numbers_that_are_none_are_refused(number) -> None:
    with pytest.raises(InvalidRequest, match="is no JSON"):
        parse_json(b'{"a": ' + number + b"}")


def test_half_a_character_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="is no JSON"):
        parse_json(b'{"a": "\\ud800"}')


@pytest.mark.parametrize(
    ("where", "job"),
    [
        ("custom_id", {"custom_id": "x" * 1_001}),
        ("model", {"model": "openai/" + "x" * 300}),
        ("expires_in", {"expires_in": "4000d"}),
        ("metadata", {"metadata": {str(n): "" for n in range(101)}}),
        ("metadata.a", {"metadata": {"a": "x" * 5_001}}),
        (f"metadata.{'a' * 40}", {"metadata": {"a" * 501: "x"}}),
        ("messages", {"prompt": None, "messages": [{"role": "user", "content": "a"}] * 10_001}),
        (
            "messages",
            {"prompt": None, "messages": [{"role": "user", "content": [{"type": "text", "text": ""}] * 20_001}]},
        ),
        ("tools", {"tools": [{"name": f"t{n}", "parameters": {}} for n in range(1_001)]}),
        ("stop", {"stop": [str(n) for n in range(1_001)]}),
        ("user", {"user": "x" * 1_001}),
    ],
)
def test_a_job_that_holds_too_much_of_something_is_told_what(where, job) -> None:
    item = {key: value for key, value in ({"model": "smart", "prompt": "a"} | job).items() if value is not None}
    with pytest.raises(InvalidJobs) as refused:
        job_items.read_items([item], JobDefaults(), None)
    assert (refused.value.problems[0].where, "at most" in refused.value.problems[0].problem) == (where, True)


@pytest.mark.parametrize("size", [256, 10 * 1024])
def test_an_idempotency_key_is_short(api, size) -> None:
    answer = api.post(JOBS, json={"model": "smart", "prompt": "a"}, headers={"Idempotency-Key": "k" * size})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize(
    "cursor", ["x", "job_", "job_" + "0" * 31, "0" * 33, "job_" + "g" * 32, "\x00", "1; drop table job"]
)
def test_a_cursor_that_was_tampered_with_is_no_cursor(api, cursor) -> None:
    for path in (JOBS, "/api/v1/batches", "/api/v1/dlq"):
        assert api.get(path, params={"cursor": cursor}).status_code in {404, 422}


def test_a_form_is_no_job(api) -> None:
    assert api.post(JOBS, files={"file": b"{}"}).status_code == 422
    assert api.post(JOBS, data={"model": "smart", "prompt": "a"}).status_code == 422


# Time and room


async def test_large_bodies_share_their_room_and_wait_for_each_other() -> None:
    budget, order = MemoryBudget(size=10, timeout=60.0), []

    async def hold(name: str, size: int, until: asyncio.Event) -> None:
        async with budget.reserve(size):
            order.append(name)
            await until.wait()

    first, others = asyncio.Event(), asyncio.Event()
    running_ = [asyncio.create_task(hold("first", 8, first))]
    await asyncio.sleep(0)
    running_ += [asyncio.create_task(hold(name, 8, others)) for name in ("second",)]
    running_ += [asyncio.create_task(hold("small", 0, others))]
    for _ in range(5):
        await asyncio.sleep(0)
    assert order == ["first", "small"]
    first.set()
    others.set()
    await asyncio.gather(*running_)
    assert order == ["first", "small", "second"]


async def test_who_finds_no_room_is_asked_to_come_back() -> None:
    budget = MemoryBudget(size=10, timeout=0.01)
    async with budget.reserve(8):
        with pytest.raises(HTTPException) as refused:
            async with budget.reserve(8):
                raise AssertionError("there is no room for this")
    assert refused.value.status_code == 503
    async with budget.reserve(10):
        pass  # all of it was given back


def test_a_body_of_unknown_length_takes_all_the_room_it_could_need() -> None:
    headers = Request({"type": "http", "headers": [(b"transfer-encoding", b"chunked")]}).headers
    assert announced_size(headers, MOST_BYTES) == MOST_BYTES


def test_no_room_is_a_problem_document_with_the_time_to_come_back(monkeypatch) -> None:
    async def read(request: Request) -> Response:
        return Response(await request.body())

    app = Starlette(routes=[Route(JOBS, read, methods=["POST"])])
    app.add_middleware(BodyLimitMiddleware, budget=MemoryBudget(size=1, timeout=0.01))
    answer = TestClient(app).post(JOBS, content=b"x" * (FEWER_BYTES + 1))
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "busy", "5")


@pytest.mark.parametrize(("idle", "total"), [(0.01, 60.0), (60.0, 0.01)])
async def test_a_body_that_trickles_is_given_up(idle, total) -> None:
    sent, never = [], asyncio.Event()

    async def receive():
        await never.wait()

    async def read(scope, receive_, send) -> None:
        await Request(scope, receive_).body()

    async def send(message) -> None:
        sent.append(message)

    scope = {"type": "http", "path": JOBS, "headers": [(b"content-length", b"9")], "method": "POST"}
    await BodyLimitMiddleware(read, idle=idle, total=total)(scope, receive, send)
    assert sent[0]["status"] == 408
    assert orjson.loads(sent[1]["body"])["code"] == "too_slow"


async def test_a_long_wait_for_an_answer_is_no_slow_body() -> None:
    """Starlette listens for the end of the connection while an answer is made: that has no deadline."""
    gone, told = asyncio.Event(), [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive():
        if told:
            return told.pop()
        await gone.wait()
        return {"type": "http.disconnect"}

    capped = BodyLimitMiddleware(None, idle=0.01, total=0.01)._capped(receive, 10)
    await capped()
    listening = asyncio.create_task(capped())
    await asyncio.wait([listening], timeout=0.05)
    assert not listening.done()
    gone.set()
    assert (await listening)["type"] == "http.disconnect"


@pytest.fixture
def port(settings, monkeypatch):
    monkeypatch.setattr(HeaderTimeoutProtocol, "head_seconds", 0.2)
    monkeypatch.setattr(serving, "KEEP_ALIVE", 1)
    with running(server_of(settings)) as number:
        yield number


def told(port: int, *pieces: bytes) -> bytes:
    """Send pieces, and return what the server says until it ends the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        for piece in pieces:
            connection.sendall(piece)
        answer = b""
        while block := connection.recv(65_536):
            answer += block
        return answer


HEAD = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.mark.parametrize("start", [b"", b"G", HEAD, HEAD + b"X-A: "])
def test_a_connection_that_never_says_what_it_wants_is_closed(port, start) -> None:
    assert told(port, start) == b""


def test_a_kept_connection_may_not_trickle_its_next_request(port) -> None:
    answer = told(port, HEAD + b"\r\n", b"GET /li")
    assert answer.count(b"HTTP/1.1 200") == 1


def test_a_trickle_of_headers_does_not_set_the_clock_back(port) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(HEAD)
        try:
            while True:  # a byte whenever the last was taken, until the server has had enough
                connection.sendall(b"X: y\r\n")
                connection.settimeout(0.02)
                try:
                    if connection.recv(1) == b"":
                        break
                except TimeoutError:
                    continue
        except OSError:
            pass  # it hung up while we wrote


def test_headers_without_end_are_refused(port) -> None:
    answer = told(port, HEAD + b"X: " + b"y" * 2 * HEAD_BYTES)
    assert answer.startswith(b"HTTP/1.1 400")


def test_headers_that_come_in_pieces_are_refused_once_they_are_too_long(port) -> None:
    answer = told(port, HEAD, *[b"X: " + b"y" * 1_000 + b"\r\n"] * 40)
    assert answer.startswith(b"HTTP/1.1 400")


def test_a_body_that_goes_on_behind_its_answer_is_no_header(port) -> None:
    """A client that is still sending reads why it was refused, and nothing else."""
    size = 4 * HEAD_BYTES
    head = b"POST /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % size
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(head)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 405")
        connection.sendall(b"y" * size)
        connection.sendall(HEAD + b"Connection: close\r\n\r\n")
        answer = b""
        while block := connection.recv(65_536):
            answer += block
    assert answer.startswith(b"HTTP/1.1 200")


def test_a_good_request_is_answered_by_the_same_server(port) -> None:
    assert b'"alive"' in told(port, HEAD + b"Connection: close\r\n\r\n")


def test_a_request_that_asks_for_a_websocket_gets_none(port) -> None:
    upgrade = (
        b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eA==\r\n\r\n"
    )
    assert told(port, HEAD + upgrade).startswith(b"HTTP/1.1 200")

"""The SDKs' way to the network: aiohttp below, one deadline, capped bodies, own evidence of what was sent.

The SDKs build, sign and judge requests as ever; this client replaces how their bytes travel. aiohttp, because its cost
per call does not grow with the number of connections; and by ourselves, because whether a byte left is what decides if
a failed call may have been billed, and the names of the SDKs' errors do not tell it.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeAlias

import aiohttp
import httpx2
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_exceptions import ContentEncodingError
from yarl import URL

from holdfast.model.fault import FaultKind
from holdfast.policy.rate_limit import is_late
from holdfast.providers.port import Refusal
from holdfast.providers.proxies import read_proxies
from holdfast.wire.pass_through import Pieces

BODY_CAP = 32 * 2**20  # bytes of an answer, decompressed
CONNECT_SECONDS = 20.0  # for DNS, TCP and TLS together; generous, since a loop that opens 1,000 at once is busy
PIECE = 2**16  # bytes of a request that are given to the socket at once
KEEPALIVE_SECONDS = 4.0  # below what servers allow, so that a connection is seldom reused while it is being closed
FIRST_ERROR = 400
PLAIN = "http://"  # how an address without TLS begins
ANSWER = "holdfast.answer"  # where a response's extensions hold the HttpAnswer that it was made of
ATTEMPT = "x-holdfast-attempt"  # the header that names the attempt to its provider

CrashPoint = Callable[[str], None]
Headers: TypeAlias = Sequence[tuple[str, str]]


class NoAnswer(Exception):
    """A call that ended without an answer. ``sent``: bytes of the request had left."""

    def __init__(self, kind: FaultKind, why: str, *, sent: bool) -> None:
        super().__init__(kind, why, sent)
        self.kind, self.why, self.sent = kind, why, sent


@dataclass(frozen=True, slots=True)
class HttpCall:
    """One request as it is sent. ``headers`` are all of them, Content-Length among them."""

    method: str
    url: URL
    headers: Headers = field(repr=False)
    body: Pieces = field(repr=False)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer as it came, whatever its status. ``headers``: names in lower case. ``body``: decompressed."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@dataclass(slots=True)
class _Outgoing:
    """One call on its way out. ``may_leave_at``: since when its bytes may leave, on a clock that never goes back."""

    refusal: Refusal | None
    crash_point: CrashPoint
    may_leave_at: float | None = None

    @property
    def sent(self) -> bool:
        """Whether bytes may have left."""
        return self.may_leave_at is not None

    async def why_not(self) -> str | None:
        """Why the call may not leave now; None: it may."""
        return await self.refusal() if self.refusal else None


_under_way: ContextVar[_Outgoing] = ContextVar("outgoing")  # the call that this task makes


class _Connector(aiohttp.TCPConnector):
    """Asks whether a call may leave once it has its connection, and notes since when its bytes may."""

    async def connect(self, *args: Any, **named: Any) -> aiohttp.connector.Connection:
        outgoing = _under_way.get()
        connection = await super().connect(*args, **named)
        outgoing.crash_point("connected")
        try:
            why = await outgoing.why_not()
        except BaseException:
            connection.release()
            raise
        if why is not None:
            connection.release()
            raise NoAnswer(FaultKind.INTERNAL, why, sent=False)
        outgoing.may_leave_at = time.monotonic()
        return connection


class _Request(aiohttp.ClientRequest):
    """Asks again when this process stood still since the call was told that it may go.

    The bytes leave a round of the event loop later than that (before Python 3.12), and a whole round of calls with
    them: a process that is stopped in between would send them all when it goes on.
    """

    async def write_bytes(
        self, writer: AbstractStreamWriter, conn: aiohttp.connector.Connection, content_length: int | None = None
    ) -> None:
        outgoing = _under_way.get()
        assert outgoing.may_leave_at is not None
        outgoing.crash_point("leaving")
        try:
            why = await outgoing.why_not() if is_late(time.monotonic() - outgoing.may_leave_at) else None
        except BaseException:
            conn.close()
            raise
        if why is None:
            await super().write_bytes(writer, conn, content_length)
            return
        outgoing.may_leave_at = None
        assert conn.protocol is not None
        conn.protocol.set_exception(NoAnswer(FaultKind.INTERNAL, why, sent=False))
        conn.close()


class Transport(httpx2.AsyncClient):
    """An HTTP client for the SDKs. Follows no redirect, goes through ``proxy`` or the environment's, sends once."""

    def __init__(
        self,
        concurrency: int,
        *,
        crash_point: CrashPoint,
        proxy: str | None = None,
        base_url: str = "",
    ) -> None:
        super().__init__(
            transport=httpx2.MockTransport(lambda _: httpx2.Response(500)),  # never used: ``send`` is the way out
            headers={"accept-encoding": "gzip, deflate"},
            follow_redirects=False,
            trust_env=False,
        )
        self._concurrency, self._crash_point = concurrency, crash_point
        self._refusals: dict[str, Refusal] = {}  # by attempt, while its call is made
        # Where nothing is asked for by TLS, nothing is read for it; what goes there all the same is checked by aiohttp.
        self._tls = True if base_url.startswith(PLAIN) else trusted_certificates()
        self._proxy_of = read_proxies(proxy)
        self._session: aiohttp.ClientSession | None = None

    @contextmanager
    def guarded(self, tag: str, refusal: Refusal | None) -> Iterator[None]:
        """Let the call of attempt ``tag`` ask ``refusal`` in this block, once it has its connection.

        When that says why not, nothing of the call is sent.
        """
        if refusal is not None:
            self._refusals[tag] = refusal
        try:
            yield
        finally:
            self._refusals.pop(tag, None)

    async def send(self, request: httpx2.Request, **_: Any) -> httpx2.Response:
        """Send what an SDK has built, and read its whole answer within the request's timeout. Raises NoAnswer."""
        answer = await self.exchange(
            HttpCall(request.method, url_of(request), headers_of(request), (request.content,)),
            deadline=request.extensions["timeout"]["read"],
            refusal=self._refusals.get(request.headers.get(ATTEMPT, "")),
        )
        return httpx2.Response(
            answer.status,
            headers={name: value for name, value in answer.headers.items() if name in SHOWN},
            content=answer.body,
            request=request,
            extensions={ANSWER: answer},
        )

    async def exchange(self, call: HttpCall, *, deadline: float, refusal: Refusal | None) -> HttpAnswer:
        """Send one request, and read its whole answer within ``deadline`` seconds. Raises NoAnswer."""
        outgoing = _Outgoing(refusal, self._crash_point)
        _under_way.set(outgoing)
        try:
            async with asyncio.timeout(deadline):
                return await self._exchange(call)
        except TimeoutError as error:
            kind = FaultKind.TIMED_OUT if outgoing.sent else FaultKind.UNREACHABLE
            raise NoAnswer(kind, _why(error, "no answer within the deadline"), sent=outgoing.sent) from error
        except (aiohttp.ClientError, OSError) as error:
            raise NoAnswer(_kind(error, sent=outgoing.sent), _why(error, "cut"), sent=outgoing.sent) from error

    async def _exchange(self, call: HttpCall) -> HttpAnswer:
        async with self._open().request(
            call.method,
            call.url,
            proxy=self._proxy_of(call.url),
            headers=call.headers,
            data=_in_pieces(call.body),
            allow_redirects=False,
        ) as answer:
            self._crash_point("bytes_sent")
            content = await self._read(answer)
            told = {name.lower(): value for name, value in answer.headers.items()}
        told.pop("content-encoding", None)  # it is decoded already
        return HttpAnswer(answer.status, told, content)

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        """Read the body, at most ``BODY_CAP`` bytes. An error status speaks for itself even where its body is cut."""
        chunks: list[bytes] = []
        size = 0
        try:
            async for chunk in answer.content.iter_any():
                chunks.append(chunk)
                self._crash_point("mid_body")
                size += len(chunk)
                if size > BODY_CAP:
                    answer.close()
                    raise NoAnswer(FaultKind.BAD_ANSWER, f"the answer is longer than {BODY_CAP} bytes", sent=True)
        except aiohttp.ClientError:
            if answer.status < FIRST_ERROR:
                raise
        return b"".join(chunks)

    def _open(self) -> aiohttp.ClientSession:
        """The session; made at first use, since it belongs to the running event loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                request_class=_Request,
                connector=_Connector(
                    limit=self._concurrency, keepalive_timeout=KEEPALIVE_SECONDS, ssl=self._tls, ttl_dns_cache=30
                ),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    async def aclose(self) -> None:
        await super().aclose()
        if self._session is not None:
            await self._session.close()


SHOWN = frozenset({"content-type", "request-id", "x-request-id", "x-should-retry"})  # what the SDKs themselves look at


def url_of(request: httpx2.Request) -> URL:
    return URL(str(request.url), encoded=True)


def headers_of(request: httpx2.Request) -> Headers:
    """The headers of a request as they are sent, in their order."""
    return [(name.decode("ascii"), value.decode("latin-1")) for name, value in request.headers.raw]


def _in_pieces(body: Pieces) -> bytes | AsyncIterator[memoryview]:
    """A large body is sent piece by piece; the socket would keep a copy of all that does not leave at once."""
    return _pieces(body) if sum(map(len, body)) > PIECE else b"".join(body)


async def _pieces(body: Pieces) -> AsyncIterator[memoryview]:
    for part in body:
        for start in range(0, len(part), PIECE):
            yield memoryview(part)[start : start + PIECE]


@cache
def trusted_certificates() -> ssl.SSLContext:
    """Read the certificates that calls trust once; it takes a tenth of a second."""
    return httpx2.create_ssl_context()


def _kind(error: Exception, *, sent: bool) -> FaultKind:
    """What a broken exchange is. Bytes that are no HTTP, or cannot be decompressed, are an answer, and a bad one."""
    if not sent:
        return FaultKind.UNREACHABLE
    undecodable = isinstance(error.__cause__, ContentEncodingError)
    return (
        FaultKind.BAD_ANSWER
        if undecodable or isinstance(error, aiohttp.ClientResponseError)
        else FaultKind.CONNECTION_LOST
    )


def _why(error: Exception, otherwise: str) -> str:
    """The error in short; it names hosts and system errors, nothing of the request."""
    return f"{type(error).__name__}: {error}"[:200] if str(error) else otherwise

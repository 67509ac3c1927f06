"""The checks that need no key: name, connection, TLS, any answer at all, and the status page."""

import asyncio
import socket
import ssl
from collections.abc import Sequence

import aiohttp
from yarl import URL

from holdfast.diagnose.status_page import StatusPage, read_status_page
from holdfast.diagnose.verdict import Unreachable
from holdfast.providers.proxies import ProxyOf

CONNECT, ANSWER = 4.0, 5.0  # seconds
MOST = 4_000_000  # bytes of a page that are read
PAGES = ("api/v2/summary.json", "api/v2/status.json", "summary.json", "incidents.json")
NO_SUCH_NAME = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


async def find_obstacle(url: URL, proxy_of: ProxyOf) -> Unreachable | None:
    """Look a host up, connect to it and agree on TLS; through a proxy, do so with the proxy. None: it is reached."""
    proxy = proxy_of(url)
    place, what = (proxy, "the proxy ") if proxy else (url, "")
    host, port = place.host or "", place.port or 0
    try:
        async with asyncio.timeout(CONNECT):
            await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
            await _connect(host, port, tls=place.scheme == "https")
    except socket.gaierror as error:
        unknown = error.errno in NO_SUCH_NAME and proxy is None
        return Unreachable(f"the name of {what}{host} is not found: {error.strerror}", unknown_name=unknown)
    except TimeoutError:
        return Unreachable(f"{what}{host}:{port} does not answer within {CONNECT:g} s")
    except ssl.SSLError as error:
        return Unreachable(f"TLS with {what}{host}:{port} fails: {error.reason or error}")
    except OSError as error:
        return Unreachable(f"{what}{host}:{port} takes no connection: {error.strerror or error}")
    return None


async def _connect(host: str, port: int, *, tls: bool) -> None:
    _, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context() if tls else None)
    writer.transport.abort()


async def ask_bare(session: aiohttp.ClientSession, url: URL, proxy_of: ProxyOf) -> str:
    """Ask without a key, and say what came: any HTTP status shows that a server is there."""
    try:
        async with session.get(url, proxy=proxy_of(url), allow_redirects=False, timeout=_within(ANSWER)) as answer:
            return f"answers HTTP {answer.status}"
    except (aiohttp.ClientError, TimeoutError) as error:
        return f"no answer: {type(error).__name__}"


async def read_page(
    session: aiohttp.ClientSession, page: str, host: str, proxy_of: ProxyOf
) -> tuple[StatusPage | None, str]:
    """Read a status page from the first of its usual places that says anything; else None, and why."""
    why = "it was not read"
    for url in places(page):
        try:
            async with session.get(url, proxy=proxy_of(url), timeout=_within(ANSWER), max_redirects=3) as answer:
                body = await answer.content.read(MOST)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            why = f"{url.host} does not answer: {type(error).__name__}"
            continue
        found = read_status_page(body, host) if answer.status == 200 else None  # noqa: PLR2004  HTTP's own number
        if found is not None:
            return found, found.claims
        why = f"{url} answers HTTP {answer.status} and nothing that can be read"
    return None, why


def places(page: str) -> Sequence[URL]:
    """Name the addresses of a page's JSON, most telling first. One that names a file is taken as it is.

    >>> [str(url) for url in places("https://status.example.com/")][:2]
    ['https://status.example.com/api/v2/summary.json', 'https://status.example.com/api/v2/status.json']
    """
    base = URL(page)
    return [base] if base.path.endswith(".json") else [base / path for path in PAGES]


def _within(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=seconds)

"""Asking a token issuer: OAuth 2.0 client credentials, or any endpoint that answers with JSON."""

import asyncio
import ssl
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote_plus, urlsplit

import aiohttp
import orjson
from yarl import URL

from holdfast.config import Issuer
from holdfast.config.values import SECRET
from holdfast.credentials.errors import IssuerFailed
from holdfast.credentials.source import CredentialSource
from holdfast.credentials.token import Token
from holdfast.providers.proxies import read_proxies

PATIENCE = 8.0  # seconds for one question, from connect to the last byte
LONGEST = 65_536  # bytes of an answer that are read
UNTOLD_LIFE = 300.0  # seconds; an issuer that names no end is asked again after about four minutes
OK = 200
# RFC 6749, section 5.2: what an issuer may answer. Nothing else that it says is repeated.
CODES = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
        "temporarily_unavailable",
        "server_error",
    }
)


@dataclass(slots=True)
class TokenSource:
    """``secret`` is where our own secret lies; it is read for each question, so it may rotate as well."""

    issuer: Issuer
    secret: CredentialSource
    clock: Callable[[], float] = time.monotonic

    async def fetch(self) -> Token:
        """Get a new token. Raises IssuerFailed, SecretUnavailable, and ConfigError for a proxy that is none."""
        secret = await self.secret.fetch()
        asked = self.clock()
        status, body = await self._ask(secret)
        if status != OK:
            raise self._failed(f"it answered {status}{_code(body)}")
        return self._read(body, asked)

    async def _ask(self, secret: str) -> tuple[int, bytes]:
        timeout = aiohttp.ClientTimeout(total=PATIENCE)
        headers = {"accept": "application/json"} | _login(self.issuer, secret)
        trusted = await asyncio.to_thread(ssl.create_default_context)  # what is trusted now: it may rotate as well
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, trust_env=False) as session,
                session.post(
                    self.issuer.url,
                    data=_body(self.issuer, secret),
                    headers=headers,
                    allow_redirects=False,  # the secret is for this address alone
                    ssl=trusted,
                    proxy=read_proxies()(URL(self.issuer.url)),
                ) as response,
            ):
                return response.status, await _read_all(response.content)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise self._failed(type(error).__name__) from None  # its words may repeat the request

    def _read(self, body: bytes, asked: float) -> Token:
        """Count the token's life from the question, so that it is never thought longer than it is."""
        answer = _json(body)
        value, life = answer.get(self.issuer.token), answer.get(self.issuer.expires_in)
        if not isinstance(value, str) or not value.strip() or not value.isascii() or not value.isprintable():
            raise self._failed(f"its answer has no usable {self.issuer.token!r}")
        seconds = _seconds(life)
        if seconds is not None and seconds <= 0:
            raise self._failed("its token has expired already")
        return Token(value.strip(), asked, asked + (UNTOLD_LIFE if seconds is None else seconds))

    def _failed(self, why: str) -> IssuerFailed:
        return IssuerFailed(str(urlsplit(self.issuer.url).hostname), why)


async def _read_all(content: aiohttp.StreamReader) -> bytes:
    read = b""
    async for chunk in content.iter_chunked(8192):
        read += chunk
        if len(read) > LONGEST:
            raise aiohttp.ClientPayloadError
    return read


def _login(issuer: Issuer, secret: str) -> dict[str, str]:
    """The headers that prove who we are, and name the body's kind."""
    headers = {"content-type": f"application/{'json' if issuer.encoding == 'json' else 'x-www-form-urlencoded'}"}
    if issuer.client_id is not None:  # RFC 6749, section 2.3.1: both parts are encoded before they are joined
        pair = f"{quote_plus(issuer.client_id)}:{quote_plus(secret)}"
        return headers | {"authorization": f"Basic {b64encode(pair.encode()).decode()}"}
    if secret and not any(SECRET in value for value in issuer.fields.values()):
        return headers | {"authorization": f"Bearer {secret}"}
    return headers


def _body(issuer: Issuer, secret: str) -> bytes:
    fields = {name: value.replace(SECRET, secret) for name, value in issuer.fields.items()}
    if issuer.encoding == "json":
        return orjson.dumps(fields)
    return "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in fields.items()).encode()


def _json(body: bytes) -> dict[str, object]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _code(body: bytes) -> str:
    code = _json(body).get("error")
    return f" {code}" if isinstance(code, str) and code in CODES else ""


def _seconds(life: object) -> float | None:
    """Read a life in seconds; some issuers write the number as a text."""
    try:
        return float(life) if isinstance(life, int | float | str) and not isinstance(life, bool) else None
    except ValueError:
        return None

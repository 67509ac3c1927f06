"""One attempt to deliver a webhook over HTTP: signed, bounded in time and size, never redirected."""

import os
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver
from standardwebhooks import Webhook

from holdfast.model.errors import InvalidRequest
from holdfast.model.receiver_address import AllowedReceivers, read_receiver
from holdfast.policy.webhook_retry import ReceiverAnswer
from holdfast.webhooks.guarded_connector import AddressRefused, guarded_connector
from holdfast.wire.durations import sent_at, wait

TOTAL, CONNECT = 15.0, 5.0  # seconds
LONGEST_HEADER = 4_096  # bytes of an answer's header field; its body is not read


class WebhookSender:
    """Sends from one event loop. ``resolver`` stands in for DNS in tests."""

    def __init__(
        self, allowed: AllowedReceivers, resolver: AbstractResolver | None = None, total: float = TOTAL
    ) -> None:
        self._allowed = allowed
        self._session = aiohttp.ClientSession(
            connector=guarded_connector(allowed, resolver),
            timeout=aiohttp.ClientTimeout(total=total, sock_connect=CONNECT),
            headers={"content-type": "application/json", "user-agent": f"holdfast/{version('holdfast')}"},
            cookie_jar=aiohttp.DummyCookieJar(),
            max_field_size=LONGEST_HEADER,
            max_line_size=LONGEST_HEADER,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def send(self, url: str, event: str, body: str, secrets: Sequence[str], now: float) -> ReceiverAnswer:
        """Make one attempt. ``now`` in seconds since the epoch; each of ``secrets`` signs. Never raises."""
        headers = signed_headers(event, body, secrets, now)
        try:
            read_receiver(url, self._allowed)
            async with self._session.post(url, data=body.encode(), headers=headers, allow_redirects=False) as answer:
                return read_answer(answer, now)
        except (InvalidRequest, AddressRefused) as error:
            return ReceiverAnswer(error=str(error), refused=True)
        except (TimeoutError, OSError, ValueError, aiohttp.ClientError) as error:
            refused = find_refusal(error)
            return ReceiverAnswer(error=str(refused) if refused else words(error), refused=refused is not None)


def read_answer(answer: aiohttp.ClientResponse, now: float) -> ReceiverAnswer:
    """Take what counts of an answer; what its body says is nobody's business."""
    wish = answer.headers.get("retry-after")
    sent = sent_at({"date": answer.headers.get("date", "")}, now)
    return ReceiverAnswer(answer.status, retry_after=wait(wish, sent) if wish else None)


def signed_headers(event: str, body: str, secrets: Sequence[str], now: float) -> dict[str, str]:
    """Sign as https://www.standardwebhooks.com does; while secrets change, with the old one and the new one.

    Without a secret nothing is signed: only alerts are sent so, to an address of the operator's own configuration.

    A receiver takes a timestamp that is at most five minutes off, so every attempt has its own; the id stays.
    """
    moment = datetime.fromtimestamp(int(now), UTC)
    headers = {"webhook-id": event, "webhook-timestamp": str(int(now))}
    signatures = [Webhook(secret).sign(event, moment, body) for secret in secrets]
    return headers | ({"webhook-signature": " ".join(signatures)} if signatures else {})


def find_refusal(error: BaseException | None) -> AddressRefused | None:
    """Find the refusal of an address among the causes of what the library raised."""
    while error is not None and not isinstance(error, AddressRefused):
        error = getattr(error, "os_error", None) or error.__cause__ or error.__context__
    return error


def words(error: BaseException) -> str:
    """Say why no answer came, without the address: some hide a password in it."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, aiohttp.ClientConnectorCertificateError | ssl.SSLError | aiohttp.ClientSSLError):
        return "its certificate is not to be trusted, or TLS failed"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its name cannot be resolved"
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno
        return f"no connection ({os.strerror(number) if number else type(error.os_error).__name__})"
    return f"no proper answer ({type(error).__name__})"

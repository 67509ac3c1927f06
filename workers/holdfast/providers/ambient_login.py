"""Logins that a machine has by itself: AWS's credential chain, Google's application default credentials.

The libraries that find them block, may ask the network, and are asked by every call at once. So they are asked here:
in a thread, by one call for all, early and behind the back of calls that can go on with what there is.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

import orjson

T = TypeVar("T")
AGE = 60.0  # seconds until a login is looked at again; the libraries renew it minutes before it ends
GOOGLE_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class NoAmbientLogin(Exception):
    """There is nothing to log in with. The text is safe to show."""


class AwsKeys(NamedTuple):
    """What signs a request; the names are botocore's."""

    access_key: str
    secret_key: str
    token: str | None = None


def read_aws_keys(secret: str) -> AwsKeys | None:
    """Read the JSON that ``aws configure export-credentials`` and every credential process print; None: another text.

    >>> read_aws_keys('{"Version": 1, "AccessKeyId": "AKIA", "SecretAccessKey": "s"}')
    AwsKeys(access_key='AKIA', secret_key='s', token=None)
    """
    try:
        found = orjson.loads(secret)
    except orjson.JSONDecodeError:
        return None
    match found:
        case {"AccessKeyId": str(access), "SecretAccessKey": str(secret_key), "SessionToken": str(token)}:
            return AwsKeys(access, secret_key, token)
        case {"AccessKeyId": str(access), "SecretAccessKey": str(secret_key)}:
            return AwsKeys(access, secret_key)
    return None


class AmbientLogin(Generic[T]):
    """Keeps ``take`` supplied with what ``fetch`` finds. ``fetch`` blocks; it runs in a thread, once at a time."""

    def __init__(self, fetch: Callable[[], T], take: Callable[[T], None]) -> None:
        self._fetch, self._take = fetch, take
        self._running: asyncio.Task[None] | None = None
        self._looked: float | None = None  # monotonic; None: there is no login yet

    async def ready(self) -> None:
        """Return when there is a login. Raises NoAmbientLogin."""
        if self._looked is not None and time.monotonic() - self._looked < AGE:
            return
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._look())
        if self._looked is None:
            await asyncio.shield(self._running)

    async def _look(self) -> None:
        try:
            self._take(await asyncio.to_thread(self._fetch))
        except Exception as error:
            if self._looked is None:
                raise NoAmbientLogin(f"this machine has no login of its own: {type(error).__name__}") from error
        self._looked = time.monotonic()  # also where a renewal failed: the old login may still be good


def aws_chain() -> Callable[[], AwsKeys]:
    """Look for keys as every tool of AWS does: environment, files, the machine's role."""
    from botocore.session import Session  # type: ignore[import-untyped]  # noqa: PLC0415  an extra

    session = Session()

    def fetch() -> AwsKeys:
        found = session.get_credentials()
        if found is None:
            raise NoAmbientLogin("no AWS credentials")
        return AwsKeys(*found.get_frozen_credentials()[:3])

    return fetch


def google_default() -> Callable[[], str]:
    """Look for a token as every tool of Google does: environment, gcloud's file, the machine's service account."""
    import google.auth  # noqa: PLC0415  an extra
    from google.auth.transport.requests import Request  # noqa: PLC0415  the same

    found: list[Any] = []

    def fetch() -> str:
        if not found:
            found.append(google.auth.default(scopes=[GOOGLE_SCOPE])[0])
        if not found[0].valid:
            found[0].refresh(Request())
        return str(found[0].token)

    return fetch

"""The heads of requests (method, URL and headers) as an SDK writes them, each kind of head written once.

To write one costs an SDK more than all else that we do for a call, and it is the same for all calls of a kind. So the
SDK makes the first call of a kind, and those after it leave under the head that it wrote.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import httpx2
from yarl import URL

from holdfast.providers.transport import ATTEMPT, Headers, HttpCall, headers_of, url_of
from holdfast.wire.pass_through import Pieces

MOST = 256  # kinds of heads that are kept: producers choose paths and headers
LENGTH = "content-length"
OWN = frozenset({ATTEMPT, LENGTH})  # headers that each call has of its own
Kind = tuple[str, tuple[tuple[str, str], ...], float]


@dataclass(frozen=True, slots=True)
class RequestHead:
    """``common``: the headers that are the same for every call of the kind."""

    method: str
    url: URL
    common: Headers

    def call(self, attempt: str, body: Pieces) -> HttpCall:
        """One call of the kind: ``attempt`` names it to the provider."""
        headers = [*self.common, (ATTEMPT, attempt), (LENGTH, str(sum(map(len, body))))]
        return HttpCall(self.method, self.url, headers, body)


class RequestHeads:
    """Those that one SDK's client has written. Only for a client that signs nothing and never renews its login."""

    def __init__(self) -> None:
        self._kept: dict[Kind, RequestHead] = {}

    def find(self, kind: Kind) -> RequestHead | None:
        """Return the head of a kind of call; None: the SDK has not written it yet."""
        return self._kept.get(kind)

    def keep(self, kind: Kind, request: httpx2.Request) -> None:
        """Keep the head of a request that the SDK has written."""
        if len(self._kept) >= MOST:
            self._kept.clear()
        common = [(name, value) for name, value in headers_of(request) if name.lower() not in OWN]
        self._kept[kind] = RequestHead(request.method, url_of(request), common)


def kind_of(path: str, headers: Mapping[str, str], deadline: float) -> Kind:
    """Name the kind of a call: what its head depends on. The deadline is told in a header of the SDKs' own."""
    return path, tuple(headers.items()), deadline

"""How requests reach a server: over the network, or through the Unix socket of the pool of this folder.

Each way is imported where it is taken: a command that asks its own folder's pool pays for no HTTP library.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

ACCEPT = {"Accept": "application/json"}  # of every request: pages of results are JSON lines for whoever says nothing


@dataclass(frozen=True, slots=True)
class ServerRequest:
    """One request. ``path`` below ``/api/v1``, with its query."""

    method: str
    path: str
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServerAnswer:
    """One answer. Names of ``headers`` in lower case; ``content`` is empty where the body is read in blocks."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class ServerLink(Protocol):
    """Safe to share between threads. Every method raises ServerUnavailable where nobody answers."""

    url: str

    def send(self, request: ServerRequest) -> ServerAnswer:
        """Make one request, once."""
        ...

    def open(self, path: str) -> AbstractContextManager[tuple[ServerAnswer, Iterator[bytes]]]:
        """Ask for ``path``, and read its body in blocks."""
        ...

    def close(self) -> None: ...

"""Limit how many refusals a peer is told, and how many are logged: a flood of wrong keys fills no audit log.

Only requests that are refused anyway are counted, and only they are slowed down: nobody can shut others out by
guessing beside them, behind the same proxy for one. Pure but for what it remembers; the time is an argument.
"""

from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from starlette.types import Scope

WINDOW = 60.0  # seconds
FEW = 600  # refusals that a peer is told in one window; later ones are asked to wait for its end
WRITTEN = 60  # refusals of all peers that are written down in one window; the next row counts the others
MOST_PEERS = 4_096  # remembered; the longest silent one is forgotten


@dataclass(frozen=True, slots=True)
class Denial:
    """``wait``: seconds until the peer is told more; None: it is told. ``unwritten``: not in the audit log so far."""

    wait: float | None
    write: bool
    unwritten: int = 0


class FailedAuthLimiter:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._peers: OrderedDict[str, tuple[float, int]] = OrderedDict()  # start of the window, refusals in it
        self._log_window = (float("-inf"), 0)
        self._unwritten = 0

    def denied(self, peer: str, now: float) -> Denial:
        """Count one refusal of ``peer``."""
        start, count = count_in_window(self._peers.pop(peer, (float("-inf"), 0)), now)
        self._peers[peer] = (start, count)
        if len(self._peers) > MOST_PEERS:
            self._peers.popitem(last=False)
        wait = start + WINDOW - now if count > FEW else None
        return self._written(wait, now)

    def _written(self, wait: float | None, now: float) -> Denial:
        if wait is None:
            self._log_window = count_in_window(self._log_window, now)
            if self._log_window[1] <= WRITTEN:
                unwritten, self._unwritten = self._unwritten, 0
                return Denial(wait, write=True, unwritten=unwritten)
        self._unwritten += 1
        return Denial(wait, write=False)


def count_in_window(window: tuple[float, int], now: float) -> tuple[float, int]:
    """Count one more in a window, or in a new one."""
    start, count = window
    return (start, count + 1) if now < start + WINDOW else (now, 1)


def peer_of(scope: Scope) -> str:
    """Name the peer of a request."""
    client = scope.get("client")
    return peer_name(str(client[0])) if client else "unknown"


def peer_name(address: str) -> str:
    """Name a peer: an IPv4 address, or the network of an IPv6 one, in which a host has as many as it likes.

    >>> peer_name("127.0.0.1"), peer_name("2001:db8:1:2:3:4:5:6"), peer_name("testclient")
    ('127.0.0.1', '2001:db8:1:2::/64', 'testclient')
    """
    try:
        read = ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(read, IPv6Address):
        return str(read.ipv4_mapped or ip_network((read.packed, 64), strict=False))
    return str(read)

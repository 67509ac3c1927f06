"""Which host names lead to this machine only."""

from functools import lru_cache
from ipaddress import ip_address


@lru_cache(maxsize=64)
def is_loopback(host: str | None) -> bool:
    """Tell whether ``host`` names this machine only: an address of its loopback network, or ``localhost``.

    >>> [is_loopback(host) for host in ("127.0.0.1", "[::1]", "localhost", "0.0.0.0", "example.org", None)]
    [True, True, True, False, False, False]
    """
    try:
        return ip_address((host or "").strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"

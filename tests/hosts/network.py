"""Hosts without Docker: network namespaces around one router, whose links can be cut while traffic flows.

Nothing leaves the namespaces. What the router drops, it drops in silence, as a broken network does.
"""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

CLONE_NEWNET = 0x40000000
NAMES = Path("/run/netns")
SELF = Path("/proc/thread-self/ns/net")
PREFIX = "10.99"
ROUTER_SIDE, HOST_SIDE = 1, 10  # the last number of the addresses on a host's wire


def why_not() -> str | None:
    """Why namespaces cannot be made here; None: they can."""
    if shutil.which("ip") is None:
        return "`ip` (Debian: iproute2) is not installed"
    if os.geteuid() != 0:
        return "network namespaces need root"
    tried = subprocess.run(["unshare", "--net", "--uts", "true"], check=False, capture_output=True)
    return None if tried.returncode == 0 else f"namespaces are not allowed here: {tried.stderr.decode().strip()}"


def ip(*words: str, namespace: str | None = None) -> None:
    where = ["-n", namespace] if namespace else []
    done = subprocess.run(["ip", *where, *words], check=False, capture_output=True, timeout=10)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join([*where, *words])}: {done.stderr.decode().strip()}")


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Be on another host: this thread's sockets, and processes that it starts, have that host's network."""
    with SELF.open("rb") as home, (NAMES / namespace).open("rb") as there:
        _enter(there.fileno())
        try:
            yield
        finally:
            _enter(home.fileno())


def _enter(descriptor: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class Network:
    """``hosts`` maps each host's name to its addresses; the host's namespace has a name of its own."""

    def __init__(self, router: str, hosts: Mapping[str, tuple[str, ...]], namespaces: Mapping[str, str]) -> None:
        self.router, self.hosts, self.namespaces = router, hosts, namespaces
        self._cuts: list[tuple[str, str]] = []

    def address(self, host: str, number: int = 0) -> str:
        return self.hosts[host][number]

    def inside(self, host: str) -> "contextmanager[None]":
        return inside(self.namespaces[host])

    def drop(self, source: str, target: str) -> None:
        """From now on nothing from one address reaches the other; the way back is left alone."""
        ip("rule", "add", "from", source, "to", target, "blackhole", namespace=self.router)
        self._cuts.append((source, target))

    def cut(self, one: str, other: str) -> None:
        self.drop(one, other)
        self.drop(other, one)

    def mend(self) -> None:
        """Let everything through again."""
        while self._cuts:
            source, target = self._cuts.pop()
            ip("rule", "del", "from", source, "to", target, "blackhole", namespace=self.router)


@contextmanager
def network(hosts: Mapping[str, int]) -> Iterator[Network]:
    """One namespace for each host, which has as many addresses as ``hosts`` says, and a router between them."""
    names = {host: f"hf{os.getpid()}-{host}" for host in hosts}
    router = f"hf{os.getpid()}-router"
    addresses = {
        host: tuple(f"{PREFIX}.{number}.{HOST_SIDE + k}" for k in range(count))
        for number, (host, count) in enumerate(hosts.items(), start=1)
    }
    with ExitStack() as stack:
        for name in (router, *names.values()):
            ip("netns", "add", name)
            stack.callback(ip, "netns", "del", name)
            ip("link", "set", "lo", "up", namespace=name)
        with inside(router):
            Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        for number, host in enumerate(hosts, start=1):
            _wire(router, names[host], number, addresses[host])
        made = Network(router, addresses, names)
        stack.callback(made.mend)
        yield made


def _wire(router: str, host: str, number: int, addresses: tuple[str, ...]) -> None:
    """Lay a wire from the router to a host, which reaches everybody else through it."""
    wire, gateway = f"h{number}", f"{PREFIX}.{number}.{ROUTER_SIDE}"
    ip("link", "add", wire, "type", "veth", "peer", "name", "wire", "netns", host, namespace=router)
    ip("addr", "add", f"{gateway}/24", "dev", wire, namespace=router)
    ip("link", "set", wire, "up", namespace=router)
    for address in addresses:
        ip("addr", "add", f"{address}/24", "dev", "wire", namespace=host)
    ip("link", "set", "wire", "up", namespace=host)
    ip("route", "add", "default", "via", gateway, namespace=host)

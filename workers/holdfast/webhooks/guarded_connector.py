"""A connector that opens connections to allowed addresses alone: what was checked is what is connected to."""

import socket
from ipaddress import ip_address
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from holdfast.model.receiver_address import AllowedReceivers, IpAddress, refusal

AT_ONCE = 100  # connections of one process


class AddressRefused(OSError):
    """A name leads to an address to which no webhook may go."""


class GuardedResolver(AbstractResolver):
    """Resolves a name once for each connection, and gives out only addresses that are allowed."""

    def __init__(self, allowed: AllowedReceivers, resolver: AbstractResolver) -> None:
        self._allowed, self._resolver = allowed, resolver
        self.approved: set[IpAddress] = set()  # by the name that led to them

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises AddressRefused: one of the name's addresses is forbidden, so somebody plays with the others."""
        found = await self._resolver.resolve(host, port, family)
        addresses = {read_address(each["host"]) for each in found}
        if self._allowed.has_name(host):
            self.approved |= addresses
            return found
        for address in addresses:
            if why := refusal(address, self._allowed):
                raise AddressRefused(f"{host} leads to {why}, where no webhook goes")
        return found

    async def close(self) -> None:
        await self._resolver.close()


def read_address(text: str) -> IpAddress:
    """Read an address as a resolver writes it, a zone left out."""
    return ip_address(text.partition("%")[0])


def guarded_connector(allowed: AllowedReceivers, resolver: AbstractResolver | None = None) -> aiohttp.TCPConnector:
    """Make the connector. Every address is judged once more at the moment in which its socket is made."""
    guard = GuardedResolver(allowed, resolver or aiohttp.ThreadedResolver())

    def open_socket(info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, where = info
        address = read_address(where[0])
        if address not in guard.approved and (why := refusal(address, allowed)):
            raise AddressRefused(f"{why}, where no webhook goes")
        return socket.socket(family, kind, protocol)

    return aiohttp.TCPConnector(
        resolver=guard, socket_factory=open_socket, use_dns_cache=False, happy_eyeballs_delay=None, limit=AT_ONCE
    )

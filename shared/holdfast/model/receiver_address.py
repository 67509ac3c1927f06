"""Where webhooks may go: not to this installation's own network, unless the configuration allows it. Pure.

Whoever submits a job names an address that the workers then connect to. An address inside the operator's network, or
one of a cloud's metadata services, would make them a way into it (server-side request forgery, OWASP's SSRF Prevention
Cheat Sheet). Names are judged by the addresses that they resolve to, right before the connection.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from holdfast.model.errors import InvalidRequest

IpAddress = IPv4Address | IPv6Address
IpNetwork = IPv4Network | IPv6Network
LONGEST_URL = 2_000  # characters
PORTS = {"http": 80, "https": 443}
NAME = re.compile(r"(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)")  # a last label that resolvers read as a part of an IPv4 address
LOCAL_NAMES = ("localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback")
LOCAL_ENDINGS = (".localhost", ".local", ".internal", ".home.arpa")

# Blocks beyond those that ``is_global`` of the standard library refuses, each with its source.
REFUSED: tuple[tuple[IpNetwork, str], ...] = tuple(
    (ip_network(block), why)
    for block, why in (
        ("0.0.0.0/8", "this network (RFC 1122)"),
        ("100.64.0.0/10", "shared address space (RFC 6598)"),
        ("168.63.129.16/32", "Azure's host"),  # learn.microsoft.com, "What is IP address 168.63.129.16?"
        ("169.254.0.0/16", "link-local, and clouds' metadata (RFC 3927)"),
        ("192.0.0.0/24", "protocol assignments (RFC 6890)"),
        ("192.88.99.0/24", "6to4 relays (RFC 7526)"),
        ("224.0.0.0/4", "multicast (RFC 5771)"),
        ("240.0.0.0/4", "reserved (RFC 1112)"),
        ("::/128", "unspecified (RFC 4291)"),
        ("fe80::/10", "link-local (RFC 4291)"),
        ("fec0::/10", "site-local (RFC 3879)"),
        ("ff00::/8", "multicast (RFC 4291)"),
        ("5f00::/16", "segment routing (RFC 9602)"),
    )
)
IPV4_COMPATIBLE = IPv6Network("::/96")  # RFC 4291, section 2.5.5.1
ISATAP = (0x00005EFE, 0x02005EFE)  # of an interface identifier's upper half (RFC 5214, section 6.1)
# IPv6 that routers translate: the IPv4 address is that many bits from the right (RFC 6052, RFC 8215).
TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))


@dataclass(frozen=True, slots=True)
class AllowedReceivers:
    """What the configuration allows beyond public addresses: networks, and names whatever they resolve to."""

    networks: tuple[IpNetwork, ...] = ()
    names: frozenset[str] = field(default_factory=frozenset)

    def has_name(self, host: str) -> bool:
        return host.rstrip(".").lower() in self.names

    def has(self, address: IpAddress) -> bool:
        return any(each in network for network in self.networks for each in (address, *embedded(address)))


def read_allowed(texts: Iterable[str]) -> AllowedReceivers:
    """Read a configuration's list of networks, addresses and names. Raises ValueError naming what is none of them.

    >>> read_allowed(["10.0.0.0/8", "::1", "Hooks.Internal"]).names
    frozenset({'hooks.internal'})
    """
    networks, names = list[IpNetwork](), set[str]()
    for text in texts:
        try:
            networks.append(ip_network(text))
        except ValueError:
            name = text.rstrip(".").lower()
            if not NAME.fullmatch(name) or NUMERIC.fullmatch(name.rpartition(".")[2]):
                raise ValueError(f"{text!r} is no network, address or host name") from None
            names.add(name)
    return AllowedReceivers(tuple(networks), frozenset(names))


def refusal(address: IpAddress, allowed: AllowedReceivers) -> str | None:
    """Say why no webhook may be sent to an address; None where one may.

    >>> refusal(ip_address("169.254.169.254"), AllowedReceivers())
    "169.254.169.254 is link-local, and clouds' metadata (RFC 3927)"
    >>> refusal(ip_address("1.1.1.1"), AllowedReceivers()) is None
    True
    """
    if allowed.has(address):
        return None
    for each in (address, *embedded(address)):
        if (why := _why_refused(each)) is not None:
            return f"{address} is {why}"
    return None


def embedded(address: IpAddress) -> Iterator[IPv4Address]:
    """Yield the IPv4 addresses to which something on the way may take an IPv6 one.

    >>> [str(each) for each in embedded(ip_address("64:ff9b::7f00:1"))]
    ['127.0.0.1']
    """
    if isinstance(address, IPv4Address):
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    low = int(address) & 0xFFFFFFFF
    is_isatap = (int(address) >> 32) & 0xFFFFFFFF in ISATAP
    if address in IPV4_COMPATIBLE or is_isatap or any(address in network for network in TRANSLATED):
        yield IPv4Address(low)


def _why_refused(address: IpAddress) -> str | None:
    for network, why in REFUSED:
        if address in network:
            return why
    if address.is_loopback:
        return "loopback"
    if isinstance(address, IPv6Address) and any(embedded(address)):
        return None  # judged by what is embedded in it
    return None if address.is_global else "private or reserved"


@dataclass(frozen=True, slots=True)
class ReceiverUrl:
    """An address that may be asked for: ``host`` is a name in lower case, or an IP address as it is written best."""

    text: str
    scheme: str
    host: str
    port: int

    @property
    def address(self) -> IpAddress | None:
        """The IP address that the URL names; None where it is a name."""
        try:
            return ip_address(self.host)
        except ValueError:
            return None


def read_receiver(text: str, allowed: AllowedReceivers, where: str = "webhook.url") -> ReceiverUrl:
    """Read where webhooks are to go. Raises InvalidRequest for what can be refused without a look at DNS.

    ``https``; ``http`` only where the configuration allows the host. No user or password, no fragment, and no number in
    another form than a dotted quad, which programs read in different ways.
    """
    url, host = split_url(text, where)
    receiver = ReceiverUrl(text, url.scheme, host, url.port or PORTS[url.scheme])
    address = receiver.address
    if address is None and not (NAME.fullmatch(host) and not NUMERIC.fullmatch(host.rstrip(".").rpartition(".")[2])):
        raise InvalidRequest(where, f"{host[:80]!r} is no host name and no IP address in its usual form.")
    is_allowed = allowed.has_name(host) if address is None else allowed.has(address)
    if why := None if is_allowed else _refused_host(host, address, allowed):
        raise InvalidRequest(where, f"{why}, where no webhook goes.", ALLOW)
    if url.scheme == "http" and not is_allowed:
        raise InvalidRequest(where, "expected https://; http:// only goes to hosts that `webhooks.allow` names.")
    return receiver


ALLOW = "An operator can allow it: `webhooks.allow` in the configuration."


def split_url(text: str, where: str = "webhook") -> tuple[SplitResult, str]:
    """Return the parts of an address that may stand for a receiver, and its host. Raises InvalidRequest."""
    if len(text) > LONGEST_URL or not text.isascii() or re.search(r"[\x00-\x20\x7f\\]", text):
        raise InvalidRequest(where, f"expected at most {LONGEST_URL:,} ASCII characters without blanks or backslashes.")
    try:
        url = urlsplit(text)
        host, _ = url.hostname, url.port
    except ValueError:
        raise InvalidRequest(where, "is no URL.") from None
    if url.scheme not in PORTS or not host:
        raise InvalidRequest(where, "expected https://HOST/PATH.")
    if "@" in url.netloc:
        raise InvalidRequest(where, "has a user or a password in it.", "Webhooks are signed; nothing logs in.")
    if url.fragment or "%" in url.netloc or url.port == 0:
        raise InvalidRequest(where, "expected an address without a fragment, a zone or port 0.")
    return url, host.lower()


def _refused_host(host: str, address: IpAddress | None, allowed: AllowedReceivers) -> str | None:
    if address is not None:
        return refusal(address, allowed)
    name = host.rstrip(".")
    return f"{name} is a local name" if name in LOCAL_NAMES or name.endswith(LOCAL_ENDINGS) else None

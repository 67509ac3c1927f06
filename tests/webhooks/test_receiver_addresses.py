"""No webhook reaches an address of the operator's own network, however it is written or resolved."""

import socket
from ipaddress import ip_address

import pytest
from aiohttp.abc import AbstractResolver

from holdfast.model.errors import InvalidRequest
from holdfast.model.receiver_address import AllowedReceivers, read_allowed, read_receiver, refusal
from holdfast.policy.webhook_retry import ReceiverAnswer
from holdfast.webhooks.sender import WebhookSender
from webhooks.receiver import Receiver

NOWHERE = AllowedReceivers()
SECRET = "whsec_" + "YWJj" * 8
WAYS_TO_WRITE_IT = """
127.0.0.1 127.0.0.2 127.1 127.0.1 127.255.255.254 0.0.0.0 0 0.1.2.3 2130706433 017700000001 0x7f000001 0x7f.1 0x7f.0.0.1
0177.0.0.1 0177.1 00000177.0.0.1 127.0.0.1. localhost LOCALHOST localhost. a.localhost ip6-localhost
localhost.localdomain printer.local metadata.google.internal router.home.arpa
10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 192.168.255.255 100.64.0.1 100.100.100.200
169.254.169.254 169.254.170.2 168.63.129.16 192.0.0.192 192.0.2.1 198.18.0.1 198.51.100.7 203.0.113.9 192.88.99.1
224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
[::1] [::] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::ffff:10.0.0.1] [::ffff:169.254.169.254] [::127.0.0.1]
[::7f00:1] [64:ff9b::127.0.0.1] [64:ff9b::a9fe:a9fe] [64:ff9b:1::10.0.0.1] [64:ff9b:1:ffff::7f00:1] [2002:7f00:1::]
[2002:a9fe:a9fe::1] [2002:c0a8:101::1] [2001:0:7f00:1::ffff] [fe80::1] [fe80::5efe:127.0.0.1] [2001:db8::1] [fc00::1]
[fd00:ec2::254] [fd12:3456:789a::1] [fec0::1] [ff02::1] [100::1] [fe80::1%25lo] [2600:1f00::5efe:10.0.0.1] [5f00::1]
user@127.0.0.1 user:word@127.0.0.1 example.com@127.0.0.1 127.0.0.1\\@example.com example.com#@127.0.0.1
example.com%23@127.0.0.1 127.0.0.1%00.example.com ①②⑦.⓪.⓪.① 127。0。0。1 example.com:80@127.0.0.1 -a.example.com
"""
HOSTS = WAYS_TO_WRITE_IT.split()
NAMES = {
    "rebound.example": ["127.0.0.1"],
    "mixed.example": ["1.1.1.1", "127.0.0.1"],
    "mapped.example": ["::ffff:127.0.0.1"],
    "translated.example": ["64:ff9b::7f00:1"],
    "zoned.example": ["fe80::1%lo"],
    "metadata.example": ["169.254.169.254"],
    "six.example": ["::1"],
    "any.example": ["0.0.0.0"],
}


class Names(AbstractResolver):
    """DNS with names of ours, whose answer may change from one question to the next."""

    def __init__(self, *answers: dict[str, list[str]]) -> None:
        self.answers, self.asked = list(answers), 0

    async def resolve(self, host, port=0, family=socket.AF_UNSPEC):
        found = self.answers[min(self.asked, len(self.answers) - 1)][host]
        self.asked += 1
        return [
            {"hostname": host, "host": address, "port": port, "proto": 0, "flags": 0,
             "family": socket.AF_INET6 if ":" in address else socket.AF_INET}
            for address in found
        ]  # fmt: skip

    async def close(self) -> None:
        pass


async def send(url: str, allowed: AllowedReceivers = NOWHERE, names: AbstractResolver | None = None) -> ReceiverAnswer:
    async with WebhookSender(allowed, names, total=5.0) as sender:
        return await sender.send(url, "evt_1", "{}", [SECRET], 1_800_000_000.0)


@pytest.mark.parametrize("scheme", ["https", "http"])
async def test_no_way_to_write_a_private_address_opens_a_connection(scheme: str) -> None:
    with Receiver() as four, Receiver(host="::1") as six:
        for host in HOSTS:
            answer = await send(f"{scheme}://{host}:{six.port if '[' in host else four.port}/hook")
            assert answer.refused, host
        assert (four.connections, six.connections) == (0, 0)
    assert len(HOSTS) >= 80


@pytest.mark.parametrize("name", NAMES)
async def test_a_name_is_judged_by_every_address_that_it_resolves_to(name: str) -> None:
    with Receiver() as four:
        answer = await send(f"https://{name}:{four.port}/hook", names=Names(NAMES))
        assert answer.refused
        assert four.connections == 0


async def test_a_name_that_changes_after_the_check_gains_nothing() -> None:
    """Each connection asks DNS once, and connects to that answer: there is no second answer to be used."""
    public, private = {"flip.example": ["192.0.2.1"]}, {"flip.example": ["127.0.0.1"]}
    with Receiver() as four:
        names = Names(private, public)
        assert (await send(f"https://flip.example:{four.port}/hook", names=names)).refused
        assert (names.asked, four.connections) == (1, 0)


async def test_an_allowed_network_opens_only_itself() -> None:
    with Receiver() as four, Receiver(host="::1") as six:
        allowed = read_allowed(["127.0.0.1"])
        assert (await send(four.url, allowed)).status == 204
        assert (await send(f"http://[::1]:{six.port}/", allowed)).refused
        assert (await send(f"http://127.0.0.2:{four.port}/", allowed)).refused
        assert (four.connections, six.connections) == (1, 0)


async def test_an_allowed_name_may_lead_into_the_own_network_and_no_other_name_does() -> None:
    with Receiver() as four:
        allowed = read_allowed(["hooks.internal"])
        names = Names({"hooks.internal": ["127.0.0.1"], "other.example": ["127.0.0.1"]})
        async with WebhookSender(allowed, names) as sender:
            sent = await sender.send(f"http://hooks.internal:{four.port}/", "evt_1", "{}", [SECRET], 0.0)
            other = await sender.send(f"https://other.example:{four.port}/", "evt_2", "{}", [SECRET], 0.0)
        assert sent.status == 204
        assert other.refused
        assert four.connections == 1


async def test_a_redirect_is_not_followed() -> None:
    with Receiver() as target, Receiver(lambda _: (302, {"location": target.url})) as first:
        answer = await send(first.url, read_allowed(["127.0.0.1"]))
        assert answer.status == 302
        assert target.connections == 0


@pytest.mark.parametrize("text", ["1.1.1.1", "2606:4700:4700::1111", "64:ff9b::1.1.1.1", "2002:101:101::"])
def test_a_public_address_is_taken(text: str) -> None:
    assert refusal(ip_address(text), NOWHERE) is None


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://example.com/", "https"),
        ("ftp://example.com/", "https"),
        ("https:///x", "https"),
        ("https://eva:word@example.com/", "user"),
        ("https://example.com/#part", "fragment"),
        ("https://10.0.0.1/", "webhooks.allow"),
        ("https://example.com:99999/", "URL"),
        ("https://exa mple.com/", "blanks"),
        ("https://" + "a" * 2_000, "2,000"),
    ],
)
def test_what_cannot_be_an_address_is_refused_with_the_reason_when_it_is_handed_in(url: str, word: str) -> None:
    with pytest.raises(InvalidRequest, match=word):
        read_receiver(url, NOWHERE)


@pytest.mark.parametrize("text", ["10.0.0.0/33", "a b", "0x7f.1", ""])
def test_a_list_of_what_is_allowed_has_networks_addresses_and_names_only(text: str) -> None:
    with pytest.raises(ValueError, match="network, address or host name"):
        read_allowed([text])

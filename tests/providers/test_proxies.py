"""Calls to providers follow the proxies of the environment; what is on this machine never goes through one."""

import pytest
from yarl import URL

from holdfast.model.errors import ConfigError
from holdfast.model.fault import FaultKind
from holdfast.model.reply import Reply
from holdfast.model.route import Api, Site
from holdfast.providers.connect import connect
from holdfast.providers.proxies import read_proxies
from providers.conftest import ask, fault
from providers.loopback import Loopback, answers, says, success

NAMES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
API = Api.OPENAI_CHAT


@pytest.fixture
def environment(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy"])
async def test_a_call_goes_through_the_proxy(environment, name):
    async with Loopback(answers(200, success(API))) as proxy:
        environment.setenv(name, proxy.url.removeprefix("http://"))
        provider = connect(API, "http://api.provider.invalid/v1", "k", concurrency=10)
        answer = await provider.complete("m", ask(), deadline=5, tag="t")
        await provider.close()
    assert isinstance(answer.outcome, Reply)
    assert [seen.path for seen in proxy.seen] == ["http://api.provider.invalid/v1/chat/completions"]


async def test_a_proxy_is_logged_in_to_with_what_its_address_says(environment):
    async with Loopback(answers(200, success(API))) as proxy:
        environment.setenv("HTTP_PROXY", proxy.url.replace("http://", "http://me:secret@"))
        provider = connect(API, "http://api.provider.invalid/v1", "k", concurrency=10)
        await provider.complete("m", ask(), deadline=5, tag="t")
        await provider.close()
    assert proxy.seen[0].headers["proxy-authorization"] == "Basic bWU6c2VjcmV0"


async def test_a_proxy_that_opens_no_tunnel_is_a_call_that_was_not_sent(environment):
    async with Loopback(says(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")) as proxy:
        environment.setenv("HTTPS_PROXY", proxy.url)
        provider = connect(API, "https://api.provider.invalid/v1", "k", concurrency=10)
        answer = await provider.complete("m", ask(), deadline=5, tag="t")
        await provider.close()
    assert proxy.seen[0].path == "api.provider.invalid:443"
    assert (fault(answer).kind, fault(answer).ambiguous) == (FaultKind.UNREACHABLE, False)


async def test_a_provider_s_own_proxy_comes_before_the_environment_s(environment):
    environment.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    environment.setenv("NO_PROXY", "*")
    async with Loopback(answers(200, success(API))) as proxy:
        provider = connect(API, "http://127.0.0.1:9/v1", "k", concurrency=10, site=Site(proxy=proxy.url))
        answer = await provider.complete("m", ask(), deadline=5, tag="t")
        await provider.close()
    assert isinstance(answer.outcome, Reply)
    assert [seen.path for seen in proxy.seen] == ["http://127.0.0.1:9/v1/chat/completions"]


def test_a_provider_may_keep_out_of_every_proxy(environment):
    environment.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    assert read_proxies("none")(URL("https://api.openai.com/v1")) is None
    assert read_proxies()(URL("https://api.openai.com/v1")) == URL("http://proxy.example:3128")


async def test_loopback_never_goes_through_a_proxy(environment):
    async with Loopback(answers(200, success(API))) as server:
        environment.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        provider = connect(API, f"{server.url}/v1", "k", concurrency=10)
        answer = await provider.complete("m", ask(), deadline=5, tag="t")
        await provider.close()
    assert isinstance(answer.outcome, Reply)


@pytest.mark.parametrize(
    ("none", "host", "straight"),
    [
        ("", "api.openai.com", False),
        ("*", "api.openai.com", True),
        ("openai.com", "api.openai.com", True),
        (".openai.com,b", "api.openai.com", True),
        ("openai.com:443", "api.openai.com", True),
        ("a, 10.0.0.0/8 ,b", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("no/net", "10.1.2.3", False),
        ("other.com", "api.openai.com", False),
        ("", "localhost", True),
        ("", "127.0.0.1", True),
        ("", "[::1]", True),
    ],
)
def test_no_proxy_names_hosts_ends_of_them_and_networks(environment, none, host, straight):
    environment.setenv("HTTPS_PROXY", "http://proxy:3128")
    environment.setenv("NO_PROXY", none)
    assert (read_proxies()(URL(f"https://{host}/v1")) is None) == straight


def test_each_scheme_has_a_proxy_of_its_own(environment):
    environment.setenv("HTTPS_PROXY", "http://proxy:3128")
    proxy_of = read_proxies()
    assert proxy_of(URL("https://a.example/v1")) == URL("http://proxy:3128")
    assert proxy_of(URL("http://a.example/v1")) is None


def test_a_proxy_that_speaks_no_http_is_named_without_its_password(environment):
    environment.setenv("HTTPS_PROXY", "socks5://me:secret@proxy:1080")
    with pytest.raises(ConfigError, match="HTTPS_PROXY: expected http://HOST:PORT, got a socks5 address") as caught:
        read_proxies()
    assert "secret" not in str(caught.value)

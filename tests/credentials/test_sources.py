"""Where keys and tokens come from: files that change, commands, issuers."""

import os

import pytest

from certificates import self_signed
from credentials.issuer import SimIssuer
from holdfast.config import Issuer, SecretUnavailable
from holdfast.config.values import SECRET
from holdfast.credentials import IssuerFailed
from holdfast.credentials.issuer import UNTOLD_LIFE, TokenSource
from holdfast.credentials.source import KeySource
from providers.loopback import Loopback, says


def rewrite(path, text: str, age: float = 60.0) -> None:
    """Write a file as if ``age`` seconds ago, so that no test waits for a clock to tick."""
    path.write_text(text)
    then = path.stat().st_mtime - age
    os.utime(path, (then, then))


async def test_a_file_looks_changed_only_when_it_is_not_what_was_read(tmp_path):
    file = tmp_path / "key"
    rewrite(file, "key-a\n", age=60)
    source = KeySource(f"file:{file}")
    assert await source.fetch() == "key-a"
    assert not source.looks_changed()
    rewrite(file, "key-b\n", age=30)
    assert source.looks_changed()
    assert await source.fetch() == "key-b"
    assert not source.looks_changed()


async def test_a_link_that_is_swung_to_another_file_looks_changed(tmp_path):
    for name in ("a", "b"):
        rewrite(tmp_path / name, f"key-{name}")
    link = tmp_path / "key"
    link.symlink_to(tmp_path / "a")
    source = KeySource(f"file:{link}")
    await source.fetch()
    (tmp_path / "next").symlink_to(tmp_path / "b")
    (tmp_path / "next").replace(link)
    assert source.looks_changed()
    assert await source.fetch() == "key-b"


async def test_a_file_just_written_is_read_once_more(tmp_path):
    file = tmp_path / "key"
    rewrite(file, "key-a", age=0)
    source = KeySource(f"file:{file}", clock=lambda: file.stat().st_mtime + 0.01)
    await source.fetch()
    assert source.looks_changed()


async def test_a_file_that_vanished_looks_changed_and_says_so_when_read(tmp_path):
    file = tmp_path / "key"
    rewrite(file, "key-a")
    source = KeySource(f"file:{file}")
    await source.fetch()
    file.unlink()
    assert source.looks_changed()
    with pytest.raises(SecretUnavailable):
        await source.fetch()


async def test_commands_and_variables_are_read_each_time(monkeypatch):
    monkeypatch.setenv("HOLDFAST_TEST_SECRET", "one")
    source = KeySource("env:HOLDFAST_TEST_SECRET")
    assert await source.fetch() == "one"
    assert not source.looks_changed()
    monkeypatch.setenv("HOLDFAST_TEST_SECRET", "two")
    assert await source.fetch() == "two"
    assert await KeySource("command:printf three").fetch() == "three"


def source_of(issuer: SimIssuer, **fields) -> TokenSource:
    os.environ["HOLDFAST_TEST_CLIENT_SECRET"] = "client-secret"
    known = {"fields": {"grant_type": "client_credentials"}, "client_id": "us"} | fields
    return TokenSource(Issuer(issuer.url, **known), KeySource("env:HOLDFAST_TEST_CLIENT_SECRET"), lambda: 100.0)


async def test_oauth_2_client_credentials_log_in_with_a_header():
    async with SimIssuer() as issuer:
        token = await source_of(issuer).fetch()
    assert (token.value, token.born, token.expires) == ("token-1", 100.0, 160.0)
    assert issuer.asked[0]["login"].startswith("Basic ")
    assert issuer.asked[0]["body"] == {"grant_type": "client_credentials"}


@pytest.mark.parametrize("encoding", ["json", "form"])
async def test_the_secret_goes_where_the_body_wants_it_and_nowhere_else(encoding):
    async with SimIssuer() as issuer:
        fields = {"assertion": SECRET, "grant_type": "x"}
        await source_of(issuer, fields=fields, client_id=None, encoding=encoding).fetch()
    assert issuer.asked == [{"body": {"assertion": "client-secret", "grant_type": "x"}, "login": ""}]


async def test_a_plain_endpoint_gets_the_secret_as_a_bearer():
    async with SimIssuer(life=None) as issuer:
        token = await source_of(issuer, fields={}, client_id=None, encoding="json").fetch()
    assert issuer.asked[0]["login"] == "Bearer client-secret"
    assert token.life == UNTOLD_LIFE


async def test_an_issuer_that_is_out_fails_in_words_that_repeat_nothing():
    async with SimIssuer(out=503) as issuer:
        with pytest.raises(IssuerFailed, match=r"127\.0\.0\.1 gave no token: it answered 503 server_error$"):
            await source_of(issuer).fetch()
    with pytest.raises(IssuerFailed, match="ClientConnectorError") as caught:
        await source_of(issuer).fetch()
    assert "client-secret" not in repr(caught.value)


async def test_an_issuer_that_sends_elsewhere_gives_no_token_and_the_secret_goes_nowhere():
    async with SimIssuer() as other, SimIssuer(moved=other.url) as issuer:
        with pytest.raises(IssuerFailed, match=r"it answered 307$"):
            await source_of(issuer).fetch()
    assert len(issuer.asked) == 1
    assert other.asked == []


async def test_an_issuer_whose_certificate_nobody_vouches_for_is_not_shown_the_secret(tmp_path):
    async with SimIssuer(tls=self_signed(tmp_path)) as issuer:
        with pytest.raises(IssuerFailed, match="ClientConnectorCertificateError"):
            await source_of(issuer).fetch()
    assert issuer.asked == []


async def test_an_issuer_whose_certificate_is_trusted_is_asked(tmp_path, monkeypatch):
    async with SimIssuer(tls=self_signed(tmp_path)) as issuer:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        assert (await source_of(issuer).fetch()).value == "token-1"


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_an_issuer_on_this_machine_is_asked_without_a_proxy(name, monkeypatch):
    async with SimIssuer() as proxy, SimIssuer() as issuer:
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.setenv(name, proxy.url.removesuffix("/token"))
        assert (await source_of(issuer).fetch()).value == "token-1"
    assert proxy.asked == []


async def test_an_issuer_behind_a_proxy_is_reached_through_a_tunnel_and_the_proxy_sees_no_secret(monkeypatch):
    async with Loopback(says(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        source = TokenSource(
            Issuer("https://issuer.example.invalid/token", {}, client_id="us"),
            KeySource("env:HOLDFAST_TEST_CLIENT_SECRET"),
        )
        monkeypatch.setenv("HOLDFAST_TEST_CLIENT_SECRET", "client-secret")
        with pytest.raises(IssuerFailed, match="ClientHttpProxyError"):
            await source.fetch()
    assert [seen.path for seen in proxy.seen] == ["issuer.example.invalid:443"]
    assert "client-secret" not in repr(proxy.seen)
    assert "authorization" not in proxy.seen[0].headers


@pytest.mark.parametrize("error", ["client-secret", "an unheard-of error", ["server_error"], {"server_error": 1}, None])
async def test_nothing_that_an_issuer_says_is_repeated_but_its_known_codes(error):
    async with SimIssuer(out=400, error=error) as issuer:
        with pytest.raises(IssuerFailed) as caught:
            await source_of(issuer).fetch()
    assert str(caught.value).endswith("it answered 400")


async def test_the_life_of_a_token_is_counted_from_the_question():
    times = iter([100.0, 105.0, 110.0])
    async with SimIssuer(life=60) as issuer:
        source = source_of(issuer)
        source.clock = lambda: next(times)
        token = await source.fetch()
    assert (token.born, token.expires) == (100.0, 160.0)


@pytest.mark.parametrize("fields", [{"token": "id_token"}, {"expires_in": "access_token", "token": "token_type"}])
async def test_an_answer_without_a_token_is_a_failure_of_the_issuer(fields):
    async with SimIssuer(life=0 if "expires_in" in fields else 60) as issuer:
        if "expires_in" in fields:
            fields = {}
        with pytest.raises(IssuerFailed):
            await source_of(issuer, **fields).fetch()


async def test_a_token_never_shows_in_its_own_words():
    async with SimIssuer() as issuer:
        assert "token-1" not in repr(await source_of(issuer).fetch())

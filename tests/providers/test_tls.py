"""A provider whose certificate nobody vouches for is not called, whatever the API."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from certificates import self_signed
from holdfast.model.fault import FaultKind
from holdfast.model.reply import Reply
from holdfast.model.route import Api
from holdfast.providers import transport
from holdfast.providers.connect import connect
from providers.conftest import ask, fault
from providers.loopback import Loopback, answers, base_url, success

APIS = [Api.ANTHROPIC, Api.OPENAI_CHAT, Api.OPENAI_RESPONSES]


@asynccontextmanager
async def behind_tls(server: Loopback, directory: Path) -> AsyncIterator[str]:
    """The address of a TLS server that lets ``server`` answer."""
    listening = await asyncio.start_server(server._serve, "127.0.0.1", 0, ssl=self_signed(directory))
    yield f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    listening.close()


@pytest.fixture(autouse=True)
def trusted_anew():
    """The certificates that are trusted are read once a process."""
    transport.trusted_certificates.cache_clear()
    yield
    transport.trusted_certificates.cache_clear()


@pytest.mark.parametrize("api", APIS)
async def test_a_certificate_that_nobody_vouches_for_ends_the_call_before_it_is_sent(api: Api, tmp_path: Path) -> None:
    async with Loopback(answers(200, success(api))) as server, behind_tls(server, tmp_path) as url:
        provider = connect(api, base_url(api, url), "a-key", concurrency=2)
        answer = await provider.complete("m", ask(), deadline=5, tag="t")
        await provider.close()
    assert (fault(answer).kind, fault(answer).ambiguous) == (FaultKind.UNREACHABLE, False)
    assert server.seen == []


async def test_a_certificate_that_is_trusted_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api.OPENAI_CHAT
    async with Loopback(answers(200, success(api))) as server, behind_tls(server, tmp_path) as url:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        provider = connect(api, base_url(api, url), "a-key", concurrency=2)
        answer = await provider.complete("m", ask(), deadline=5, tag="t")
        await provider.close()
    assert isinstance(answer.outcome, Reply)


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "https://127.0.0.1:1", ""])
async def test_certificates_are_read_ahead_of_calls_that_may_need_them(address: str) -> None:
    provider = connect(Api.OPENAI_CHAT, address or "https://api.openai.com/v1", "a-key", concurrency=2)
    await provider.close()
    assert transport.trusted_certificates.cache_info().currsize == (not address.startswith("http://"))

"""What is checked before a call leaves, and what a login may take of its time."""

import asyncio
import datetime as dt
import ssl
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from holdfast.model.fault import FaultKind
from holdfast.model.request import Output
from holdfast.model.route import Api
from holdfast.providers import ambient_login
from holdfast.providers.ambient_login import AmbientLogin, NoAmbientLogin
from holdfast.providers.clients import OpenedClient
from holdfast.providers.connect import connect
from holdfast.providers.outgoing import format_of
from holdfast.providers.sdk_provider import SdkProvider
from holdfast.providers.transport import NoAnswer, Transport
from holdfast.testing import PRODUCTION
from providers.conftest import ask, fault
from providers.loopback import answers, error, success

API = Api.OPENAI_CHAT


@pytest.fixture
def self_signed(tmp_path) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate for localhost that nobody has signed but its own key."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
    )
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    held = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + certificate.public_bytes(serialization.Encoding.PEM)
    (tmp_path / "both.pem").write_bytes(held)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    return context


async def test_a_server_whose_certificate_nobody_vouches_for_gets_nothing(self_signed):
    heard = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(1))
        writer.close()

    server = await asyncio.start_server(serve, "localhost", 0, ssl=self_signed)
    port = server.sockets[0].getsockname()[1]
    provider = connect(API, f"https://localhost:{port}/v1", "k", concurrency=1)
    answer = await provider.complete("m", ask(), deadline=10, tag="t")
    await provider.close()
    server.close()
    assert (fault(answer).kind, fault(answer).ambiguous) == (FaultKind.UNREACHABLE, False)
    assert heard in ([], [b""])


class PostOnly:
    """An SDK's client that tells what it was asked, and never gets an answer."""

    def __init__(self) -> None:
        self.timeouts: list[float] = []

    async def post(self, path: str, *, options, **_) -> None:
        self.timeouts.append(options["timeout"])
        failure = RuntimeError("connection error")
        failure.__cause__ = NoAnswer(FaultKind.UNREACHABLE, "away", sent=False)
        raise failure


async def test_the_time_of_a_login_is_taken_from_the_calls_deadline():
    client = PostOnly()
    login = AmbientLogin(lambda: threading.Event().wait(0.05), lambda _: None)
    transport = Transport(1, crash_point=lambda _: None)
    provider = SdkProvider(OpenedClient(client, login), transport, format_of(API, "http://x"), PRODUCTION.clock)
    await provider.complete("m", ask(), deadline=10.0, tag="t")
    await provider.complete("m", ask(), deadline=10.0, tag="t")
    first, second = client.timeouts
    assert first <= 9.95
    assert second > first  # the login was there already


async def test_a_login_that_cannot_be_renewed_stays_as_long_as_it_is_good(monkeypatch):
    monkeypatch.setattr(ambient_login, "AGE", -1.0)  # every look is due
    found, taken = ["first"], []

    def fetch() -> str:
        return found.pop()

    login = AmbientLogin(fetch, taken.append)
    await login.ready()
    for _ in range(3):
        await login.ready()
        await login._running
    assert taken == ["first"]


async def test_without_any_login_every_call_says_so_and_a_later_one_is_found():
    found: list[str] = []
    login = AmbientLogin(lambda: found[0], found.append)
    for _ in range(2):
        with pytest.raises(NoAmbientLogin, match="no login of its own"):
            await login.ready()
    found.append("later")
    await login.ready()
    assert found == ["later", "later"]


async def test_a_400_to_a_body_that_we_changed_may_be_our_own_doing(call):
    told = error(API, "invalid_request_error")
    recursive = {"type": "object", "properties": {"a": {"type": "string"}}}
    changed = ask(output=Output(json_schema=recursive, strict=True))
    answer, _ = await call(API, answers(400, told), changed)
    assert answer.mapping.notes
    assert fault(answer).mapped
    answer, _ = await call(API, answers(400, told))
    assert answer.mapping.notes == ()
    assert not fault(answer).mapped
    answer, _ = await call(API, answers(200, success(API)), changed)
    assert answer.mapping.notes

"""The cache between processes: encrypted, dated by Redis, and one lock to ask under."""

import json

import fakeredis
import pytest

from holdfast.credentials import Token
from holdfast.credentials.token_cache import RedisTokenCache, RefreshLock
from holdfast.credentials.token_cipher import TokenCipher
from holdfast.lanes.keys import Keys
from holdfast.model.errors import QueueUnavailable
from lanes_twin import FakeConnection


@pytest.fixture
def server() -> fakeredis.FakeServer:
    return fakeredis.FakeServer()


def cache(
    server: fakeredis.FakeServer, passphrase: str | None = "client-secret", purpose: str = "p/main"
) -> RedisTokenCache:
    cipher = TokenCipher(passphrase, purpose) if passphrase else None
    return RedisTokenCache(FakeConnection(server, Keys("t")), "p/main", lambda: cipher, lambda: 100.0)


async def test_what_one_process_puts_there_another_one_finds(server):
    await cache(server).put(Token("tok-canary", born=90.0, expires=690.0))
    found = await cache(server).look()
    assert found is not None
    assert found.value == "tok-canary"
    assert found.life == pytest.approx(600.0)
    assert found.expires == pytest.approx(690.0, abs=1.0)


async def test_nothing_in_redis_tells_the_token_or_the_secret(server):
    await cache(server).put(Token("tok-canary", born=90.0, expires=690.0))
    client = fakeredis.FakeRedis(server=server)
    everything = json.dumps({str(key): str(client.get(key)) for key in client.scan_iter()})
    assert "tok-canary" not in everything
    assert "client-secret" not in everything
    assert 0 < client.pttl("{t}:token:p/main") <= 590_000


@pytest.mark.parametrize(("passphrase", "purpose"), [("another", "p/main"), ("client-secret", "p/main other scope")])
async def test_a_token_sealed_for_something_else_is_as_good_as_none(server, passphrase, purpose):
    await cache(server).put(Token("tok", born=90.0, expires=690.0))
    assert await cache(server, passphrase, purpose).look() is None


async def test_a_changed_or_foreign_text_opens_to_nothing():
    cipher = TokenCipher("secret", "p/main")
    sealed = cipher.encrypt(b"plain")
    assert cipher.decrypt(sealed) == b"plain"
    for text in (sealed[:-6] + "AAAA==", "", "x", "{}", sealed[4:]):
        assert cipher.decrypt(text) is None


async def test_without_a_key_to_seal_with_nothing_is_shared(server):
    await cache(server, None).put(Token("tok", born=90.0, expires=690.0))
    assert await cache(server, None).look() is None
    assert fakeredis.FakeRedis(server=server).keys() == []


async def test_one_process_has_the_lock(server):
    first, second = cache(server), cache(server)
    assert await first.claim(10) is RefreshLock.ACQUIRED
    assert await second.claim(10) is RefreshLock.HELD
    await second.release()  # not its own
    assert await second.claim(10) is RefreshLock.HELD
    await first.rest(5)
    assert await second.claim(10) is RefreshLock.RESTING
    await first.release()  # no longer its own
    assert await second.claim(10) is RefreshLock.RESTING


async def test_a_redis_that_is_away_shares_nothing_and_stops_nobody():
    class Away:
        keys = Keys("t")

        def sync(self):
            raise QueueUnavailable("redis", "it is away")

    away = RedisTokenCache(Away(), "p/main", lambda: None)
    assert await away.look() is None
    assert await away.claim(1) is RefreshLock.ACQUIRED
    await away.put(Token("t", 0, 9))
    await away.rest(1)
    await away.release()

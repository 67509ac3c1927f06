"""Logins that fail, keys that rotate, issuers that are out: nothing dies, nothing restarts, nothing leaks."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

from credentials.issuer import SimIssuer
from holdfast.lab.providers import control
from holdfast.lab.providers.settings import InjectedFault
from holdfast.store.batches import find_batch
from system.storages import SERVERS_TOO

ONE_KEY = 'credentials = [{ name = "main", secret = "env:HOLDFAST_TEST_KEY" }]'
TWO_KEYS = 'credentials = [{ name = "a", secret = "file:KEY" }, { name = "b", secret = "env:HOLDFAST_TEST_KEY" }]'


def log_in_with(fleet, credentials: str) -> None:
    """Give the first provider other credentials, before any worker starts."""
    fleet.config.write_text(fleet.config.read_text().replace(ONE_KEY, credentials, 1))


def dead(fleet, batch: str) -> int:
    return fleet.store.read(find_batch, batch).counts.get("dead", 0)


def refused(fleet) -> list[dict]:
    return [call for call in fleet.sims[0].calls() if call["status"] == "401"]


def said(fleet, event: str) -> bool:
    return f'"{event}"' in fleet.said()


@pytest.mark.parametrize("kept", SERVERS_TOO, indirect=True)
@pytest.mark.parametrize("fraction", [1.0, 0.5])
def test_a_wave_of_401s_on_a_valid_key_kills_no_job_and_ends_by_itself(kept, build, fraction):
    fleet = build(latency=(0.05, 0.05), concurrency=20)
    batch = fleet.submit(600)
    fleet.worker(), fleet.worker()
    fleet.until(lambda: fleet.done(batch) > 100)
    fleet.sims[0].break_(InjectedFault(mode="e401", fraction=fraction, seconds=8))
    fleet.until_done(batch)
    assert dead(fleet, batch) == 0
    assert fleet.succeeded(batch) == 600
    if fraction == 1.0:
        # the key stands alone in its plan: those in flight, those that took earlier ones' places, then one a cool-off
        assert 2 <= len(refused(fleet)) <= 2 * 40 + 12
    assert fleet.offenders() == {}


def test_two_keys_refused_together_are_told_as_the_provider_s_outage(build):
    fleet = build(latency=(0.05, 0.05), concurrency=10)
    key = fleet.directory / "key"
    key.write_text("sk-one\n")
    log_in_with(fleet, TWO_KEYS.replace("KEY", str(key), 1))
    batch = fleet.submit(50)
    fleet.sims[0].break_(InjectedFault(mode="e401"))
    fleet.worker(), fleet.worker()
    fleet.until(lambda: said(fleet, "auth_outage"))
    fleet.sims[0].heal()
    fleet.until_done(batch)
    assert fleet.succeeded(batch) == 50
    assert fleet.said().count('"event": "auth_outage"') + fleet.said().count('"event":"auth_outage"') == 1


def test_an_outage_of_logins_is_probed_by_one_call_of_the_fleet_reroutes_and_ends_without_a_person(build):
    fleet = build(latency=(0.05, 0.05), concurrency=20)
    key = fleet.directory / "key"
    key.write_text("sk-one\n")
    log_in_with(fleet, TWO_KEYS.replace("KEY", str(key), 1))
    fleet.worker(), fleet.worker()
    alone, elsewhere = fleet.submit(1_000), fleet.submit(100, model="two")
    fleet.until(lambda: fleet.done(alone) > 50)
    fleet.sims[0].break_(InjectedFault(mode="e401"))
    fleet.until(lambda: endpoint(fleet, "first") in {"open", "half_open"})
    time.sleep(1)  # what was in flight is answered
    before, begun = len(refused(fleet)), time.monotonic()
    fleet.until(lambda: fleet.done(elsewhere) == 100)  # the second provider takes them meanwhile
    fleet.until(lambda: len(refused(fleet)) >= before + 4)
    probes, seconds = len(refused(fleet)) - before, time.monotonic() - begun
    assert probes <= 2 + seconds / 0.8  # one a cool-off, which is a second at least, for two keys and two processes
    fleet.sims[0].heal()
    fleet.until_done(alone)
    assert (fleet.succeeded(alone), fleet.succeeded(elsewhere)) == (1_000, 100)
    fleet.until(lambda: endpoint(fleet, "first") == "closed")
    assert endpoint(fleet, "second") in {"", "closed"}
    assert fleet.offenders() == {}


def endpoint(fleet, provider: str) -> str:
    """The state of a provider's own breaker; empty while Redis knows of none."""
    return (fleet.redis().hget(f"{{hf}}:breaker:endpoint:{provider}", "state") or b"").decode()


@pytest.mark.parametrize("kept", SERVERS_TOO, indirect=True)
def test_a_rotated_key_is_picked_up_within_five_seconds(kept, build):
    fleet = build(latency=(0.1, 0.1), concurrency=10)
    key = fleet.directory / "key"
    key.write_text("sk-rotation-a\n")
    log_in_with(fleet, f'credentials = [{{ name = "main", secret = "file:{key}" }}]')
    control.change(fleet.sims[0].url, {"keys": ["sk-rotation-a"]})
    batch = fleet.submit(400)
    workers = [fleet.worker(), fleet.worker()]
    fleet.until(lambda: fleet.done(batch) > 50)
    control.change(fleet.sims[0].url, {"keys": ["sk-rotation-b"]})
    fleet.until(lambda: said(fleet, "credential_parked"))
    time.sleep(6)  # the cool-off has grown
    before = fleet.done(batch)
    key.write_text("sk-rotation-b\n")
    fleet.until(lambda: fleet.done(batch) > before, at_most=5.0)
    fleet.until_done(batch)
    assert fleet.succeeded(batch) == 400
    assert [worker.poll() for worker in workers] == [None, None]
    assert leaks(fleet, "sk-rotation-a", "sk-rotation-b", but={key}) == []


@contextmanager
def issuing(**settings) -> Iterator[SimIssuer]:
    """A token issuer in a thread of its own."""
    issuer, loop, ready, over = SimIssuer(**settings), asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with issuer:
            ready.set()
            await over.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    assert ready.wait(10)
    try:
        yield issuer
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


def oauth2(issuer: SimIssuer) -> str:
    table = f'token_url = "{issuer.url}", client_id = "us", client_secret = "env:HOLDFAST_TEST_CLIENT_SECRET"'
    return f'credentials = [{{ name = "main", oauth2 = {{ {table} }} }}]'


def test_an_outage_of_the_issuer_is_not_noticed_while_the_token_is_good(build):
    fleet = build(latency=(0.5, 0.5), concurrency=10)
    secret = {"HOLDFAST_TEST_CLIENT_SECRET": "canary-client-secret"}
    with issuing(secret="canary-client-secret", life=10, prefix="canary-token") as issuer:
        log_in_with(fleet, oauth2(issuer))
        batch = fleet.submit(480)
        fleet.worker(**secret), fleet.worker(**secret)
        fleet.until(lambda: fleet.done(batch) > 20)
        issuer.out = 503
        fleet.until(lambda: said(fleet, "issuer_failed"))
        issuer.out = None
        fleet.until_done(batch)
    assert fleet.succeeded(batch) == 480
    assert Counter(call["status"] for call in fleet.sims[0].calls()) == {"200": 480}
    assert 2 <= len(issuer.given) <= 4  # about one a life, for two processes
    assert leaks(fleet, "canary") == []


def test_without_any_token_jobs_wait_and_go_on_when_the_issuer_is_back(build):
    fleet = build(latency=(0.05, 0.05), concurrency=10)
    secret = {"HOLDFAST_TEST_CLIENT_SECRET": "canary-client-secret"}
    with issuing(secret="canary-client-secret", out=500, prefix="canary-token") as issuer:
        log_in_with(fleet, oauth2(issuer))
        batch = fleet.submit(50)
        fleet.worker(**secret), fleet.worker(**secret)
        fleet.until(lambda: said(fleet, "credential_parked"))
        assert fleet.done(batch) == 0
        asked = len(issuer.asked)
        issuer.out = None
        fleet.until_done(batch)
    assert fleet.succeeded(batch) == 50
    assert asked <= 8
    assert len(issuer.given) == 1
    assert leaks(fleet, "canary") == []


def leaks(fleet, *canaries: str, but: set = frozenset()) -> list[str]:
    """Every place where a secret or token can be read: files of SQL and Redis, logs, and what Redis says."""
    client = fleet.redis()
    client.bgrewriteaof()
    fleet.until(lambda: not is_rewriting(client))  # which takes files away
    places = {str(key): str(told(client, key)).encode() for key in client.scan_iter(count=1000)}
    for path in fleet.directory.rglob("*"):
        if path.is_file() and path not in but:
            places[str(path)] = path.read_bytes()
    if fleet.settings.storage.database_url.startswith("postgres"):
        places |= rows(fleet.settings.storage.database_url)
    spelled = [spelling for canary in canaries for spelling in (canary.encode(), canary.encode().hex().encode())]
    return [place for place, text in places.items() if any(spelling in text for spelling in spelled)]


def is_rewriting(client) -> bool:
    persistence = client.info("persistence")
    return bool(persistence["aof_rewrite_in_progress"] or persistence["aof_rewrite_scheduled"])


def rows(url: str) -> dict[str, bytes]:
    """Every row of every table of a Postgres, as text; bytes are hexadecimal there."""
    with psycopg.connect(url) as connection:
        names = connection.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
        every = sql.SQL("select t::text from {} t")
        told = {name: connection.execute(every.format(sql.Identifier(name))).fetchall() for (name,) in names}
    assert sum(map(len, told.values())) > 0
    return {name: "\n".join(text for (text,) in found).encode() for name, found in told.items()}


def told(client, key: bytes) -> object:
    match client.type(key):
        case b"string":
            return client.get(key)
        case b"hash":
            return client.hgetall(key)
        case b"list":
            return client.lrange(key, 0, -1)
        case b"set":
            return client.smembers(key)
        case b"zset":
            return client.zrange(key, 0, -1)
    return ""

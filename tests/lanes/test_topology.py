"""Redis behind TLS, Sentinel and Cluster: the same gate, the same scripts, and a failover in between."""

import asyncio
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from attempts import called
from holdfast.lanes import Connection, Gate, Lanes, Reason, connect
from holdfast.lanes.actors import ActorQueue
from holdfast.lanes.topology import open_asynchronous
from holdfast.model.errors import ConfigError, QueueUnavailable
from holdfast.model.route import Limits
from lanes_twin import LANE, fault, fetch, jobs, offers, plan, route
from redis_servers import cluster, redis_server, until, watched

PACED = plan(route(limits=Limits(requests_per_minute=60_000)))
SLOW = plan(route(limits=Limits(requests_per_minute=60)))
SECONDS = 20.0


def an_actor_works(connection: Connection) -> bool:
    actors, called = ActorQueue(connection), threading.Event()
    actors.declare("look", lambda row: called.set())
    actors.start()
    actors.send("look", "row 1")
    worked = called.wait(SECONDS)
    actors.stop()
    return worked


async def work_through_everything(url: str, directory: Path) -> None:
    """Every script, and every question that lanes and gate ask."""
    connection = connect(url, directory, key=lambda: b"key")
    gate, lanes, made = Gate(connection), Lanes(connection), offers(6)
    try:
        await gate.begin(fresh=True)
        assert lanes.offer(made) == 6
        assert lanes.lengths() == {LANE: 6}
        hint = asyncio.create_task(gate.wake.wait(at_most=SECONDS))
        permits = (await fetch(gate, LANE, 4, "w1", PACED)).permits
        assert jobs(permits) == [offer.id for offer in made[:4]]
        await gate.finish([called(permits[0], fault())])
        await gate.report_slow(permits[1])
        assert set(gate.lanes.held("w1")) == {offer.id for offer in made[1:4]}
        assert await gate.release("w1") == 3
        assert gate.lanes.workers() == []
        lanes.set_paused(LANE, paused=True)
        assert (await fetch(gate, LANE, 4, "w1", PACED)).reason is Reason.PAUSED
        lanes.set_paused(LANE, paused=False)
        lanes.force("anthropic/opus", "open")
        assert gate.lanes.overrides() == {("route", "anthropic/opus"): "open"}
        assert (await gate.health(PACED)).open_routes == {"anthropic/opus"}
        lanes.reset("anthropic/opus")
        assert lanes.snapshot().buckets[0].name == "anthropic/main:opus"
        assert (gate.lanes.repair(), lanes.redis_health()) == (0, [])
        assert (await gate.check_writes())[0] is not None
        assert await asyncio.to_thread(an_actor_works, connection)
        while not hint.done():
            await gate.offer(offers(1))
            await asyncio.sleep(0.02)
        assert hint.result()
    finally:
        await gate.close()
        connection.close()


async def test_a_cluster_serves_as_one_server_does(tmp_path: Path) -> None:
    with cluster(tmp_path) as (url, nodes):
        await work_through_everything(url, tmp_path)
        connection = connect(url, tmp_path)
        gate = Gate(connection)
        assert (await gate.check_writes())[0] is not None
        for node in nodes:
            node.kill()
        with pytest.raises(QueueUnavailable):
            await gate.check_writes()
        for node in nodes:
            node.start()
        assert await again(gate.check_writes) == (None, None)
        assert await again(lambda: asyncio.to_thread(Lanes(connection).redis_health)) == []
        await gate.close()
        connection.close()


async def test_sentinel_serves_as_one_server_does_and_names_the_next_master(tmp_path: Path) -> None:
    with watched(tmp_path) as (url, master, replica):
        await work_through_everything(url, tmp_path)
        connection = connect(url, tmp_path)
        gate, lanes = Gate(connection), Lanes(connection)
        lanes.offer(offers(200))
        before = (await fetch(gate, LANE, 5, "w1", SLOW)).permits
        until(lambda: replica.client().llen("{hf}:lane:smart.batch") == lanes.lengths()[LANE])
        master.kill()
        after = await again(lambda: fetch(gate, LANE, 5, "w1", SLOW))
        assert (len(before), after.permits, after.reason) == (
            1,
            [],
            Reason.BUCKET,
        )  # what the new master knows may be old: no level is kept
        await gate.finish([])
        await again(gate.check_writes)
        assert await again(lambda: asyncio.to_thread(lanes.redis_health)) == []
        await gate.close()
        connection.close()


async def again(question: Callable[[], object]) -> object:
    """Ask until there is a master."""
    async with asyncio.timeout(SECONDS):
        while True:
            with suppress(QueueUnavailable):
                return await question()
            await asyncio.sleep(0.05)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes its certificate with openssl")
async def test_redis_behind_tls_is_reached_when_its_certificate_is_trusted(tmp_path: Path) -> None:
    with redis_server(tmp_path / "redis") as server, tls_in_front_of(server.port, tmp_path) as (port, certificate):
        await work_through_everything(f"rediss://localhost:{port}/0?ssl_ca_certs={certificate}", tmp_path)
        stranger = connect(f"rediss://localhost:{port}/0", tmp_path)
        with pytest.raises(QueueUnavailable, match="certificate"):
            Lanes(stranger).ping()
        stranger.close()


@pytest.mark.parametrize(
    "url", ["sentinel://a:1,b:2", "redis+cluster://a:x", "sentinel:///name", "memcached://a", "redis+cluster://,"]
)
def test_an_address_that_lacks_something_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected"):
        connect(url, tmp_path)


def test_no_password_of_several_servers_is_shown(tmp_path: Path) -> None:
    connection = connect("sentinel://me:hush@127.0.0.1:1,127.0.0.1:2/hf?sentinel_password=hush", tmp_path)
    with pytest.raises(QueueUnavailable) as error:
        Lanes(connection).ping()
    assert "sentinel://me@127.0.0.1:1,127.0.0.1:2/hf" in str(error.value)
    assert "hush" not in str(error.value)


@contextmanager
def tls_in_front_of(port: int, directory: Path) -> Iterator[tuple[int, Path]]:
    """A TLS server that hands everything on; yields its port and its certificate."""
    key, certificate = directory / "key.pem", directory / "certificate.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-keyout",
        key,
        "-out",
        certificate,
    ]
    subprocess.run([*made, *subject], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    ready, stop = threading.Event(), asyncio.Event()
    loop, ports = asyncio.new_event_loop(), []

    async def hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            there, back = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(pour(reader, back), pour(there, writer))

    async def serve() -> None:
        server = await asyncio.start_server(hand_on, "localhost", 0, ssl=context, family=socket.AF_INET)
        ports.append(server.sockets[0].getsockname()[1])
        ready.set()
        await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    assert ready.wait(SECONDS)
    try:
        yield ports[0], certificate
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(SECONDS)


async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while part := await reader.read(65_536):
            writer.write(part)
            await writer.drain()
    writer.close()


@pytest.mark.parametrize("url", ["redis://a", "unix:///a", "sentinel://a/main"])
def test_a_client_of_an_event_loop_writes_commands_as_redis_py_does(url: str) -> None:
    client = open_asynchronous(url)
    made = client.connection_pool.connection_class
    base = made.__mro__[1]
    command = ("EVALSHA", "é", 1, "key", b"\xff", 0.1, 10**20, "")
    connection = client.connection_pool.make_connection()
    assert type(connection) is made
    assert b"".join(connection.pack_command(*command)) == b"".join(base.pack_command(connection, *command))

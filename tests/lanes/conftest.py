"""Lanes on a real embedded server and on fakeredis; each test has a namespace of its own, so nothing is flushed."""

import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import fakeredis
import pytest
import pytest_asyncio

from holdfast.lanes import Connection, Gate, Lanes, connect
from holdfast.lanes.keys import Keys
from lanes_twin import FakeConnection, House

_namespaces = itertools.count()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = connect("embedded", tmp_path_factory.mktemp("lanes"))
    Lanes(server).ping()
    yield server.url
    server.close()


@pytest.fixture
def real(redis_url: str) -> Iterator[Connection]:
    """A namespace on the embedded server."""
    connection = connect(redis_url, Path(), namespace=f"t{next(_namespaces)}")
    yield connection
    connection.close()


@pytest.fixture(params=["embedded", "fakeredis"])
def connection(request: pytest.FixtureRequest) -> Connection:
    if request.param == "embedded":
        return request.getfixturevalue("real")
    return FakeConnection(fakeredis.FakeServer(), Keys(f"t{next(_namespaces)}"))


@pytest_asyncio.fixture
async def gates(connection: Connection) -> AsyncIterator[Callable[..., Gate]]:
    """Make gates that are closed with the test."""
    made: list[Gate] = []

    def make(**options) -> Gate:
        made.append(Gate(connection, **options))
        return made[-1]

    yield make
    for gate in made:
        await gate.close()


@pytest_asyncio.fixture
async def house(connection: Connection, gates: Callable[..., Gate]) -> House:
    """A fresh namespace with lanes, a gate, and a clock that stands still until it is cranked."""
    house = House(connection, gates)
    await house.gate.begin(fresh=True)
    return house

"""Where a test keeps its jobs: the embedded default, or a Redis and a Postgres of their own."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from redis_servers import DURABLE, redis_server
from servers import postgres

EMBEDDED, SERVERS = "embedded", "redis and postgres"
BOTH = (EMBEDDED, SERVERS)
SERVERS_TOO = (EMBEDDED, pytest.param(SERVERS, marks=pytest.mark.chaos))  # `make test` runs the first alone


@contextmanager
def storage(kind: str) -> Iterator[None]:
    """While the block runs, fleets that are made use this storage."""
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        if kind == SERVERS:
            directory = Path(tempfile.mkdtemp(prefix="holdfast-redis-"))
            stack.callback(shutil.rmtree, directory, ignore_errors=True)
            patch.setenv("HOLDFAST_DATABASE_URL", stack.enter_context(postgres()))
            patch.setenv("HOLDFAST_REDIS_URL", stack.enter_context(redis_server(directory, **DURABLE)).url)
        yield

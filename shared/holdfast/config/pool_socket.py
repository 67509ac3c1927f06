"""Where `holdfast up` answers the commands of its own folder: a Unix socket that this user alone can reach.

A command that asks it imports neither a database nor Redis. Its name is a digest of the configuration: a command whose
file or environment says something else finds no such socket, and opens the storage that it means itself.
"""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from holdfast.config.config_file import LARGEST_FILE, find
from holdfast.config.up_file import HOME
from holdfast.model.environment import DATABASE_URL, REDIS_URL

PATTERN = "api-*.sock"
PRIVATE = 0o177  # what its mode leaves out: all but reading and writing by the owner
WAITING = 128  # connections that the system keeps until they are taken
LOOK_SECONDS = 0.5


def pool_socket(config: Path | None = None, env: Mapping[str, str] = os.environ) -> Path:
    """Name the socket of a pool with this configuration, relative to the working directory. Raises OSError."""
    source = find(config, env)
    told = [_content(source) if source else b"", *(env.get(name, "").encode() for name in (DATABASE_URL, REDIS_URL))]
    digest = blake2b(b"\0".join(told), digest_size=8).hexdigest()
    return HOME / PATTERN.replace("*", digest)


def _content(source: Path) -> bytes:
    if not source.is_file():  # a pipe can be read once, and that is for whoever loads it
        raise FileNotFoundError(source)
    with source.open("rb") as file:
        return file.read(LARGEST_FILE)


def find_pool(config: Path | None = None, env: Mapping[str, str] = os.environ) -> Path | None:
    """Return the socket of the pool that works in this folder with this configuration; None where none answers."""
    try:
        path = pool_socket(config, env)
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(LOOK_SECONDS)
            probe.connect(str(path))
    except OSError:
        return None
    return path


@contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    """Listen at ``path`` in the working directory, in the place of whatever was killed there before. Raises OSError."""
    for old in path.parent.glob(PATTERN):
        old.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        before = os.umask(PRIVATE)
        try:
            listener.bind(str(path))
        finally:
            os.umask(before)
        listener.listen(WAITING)
        try:
            yield listener
        finally:
            path.unlink(missing_ok=True)

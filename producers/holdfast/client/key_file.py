"""Where a program has its API key: in a variable, or in a file that a variable names. Never on a command line."""

import os
from collections.abc import Mapping
from pathlib import Path

from holdfast.model.access import read_key
from holdfast.model.environment import API_KEY, API_KEY_FILE, read_variable
from holdfast.model.errors import InvalidRequest

LONGEST = 200  # bytes of a file that are looked at


def find_key(env: Mapping[str, str] = os.environ) -> str | None:
    """Return the key of the environment, or None. Raises InvalidRequest: it names the place, never what is there."""
    if key := read_variable(API_KEY, env):
        return checked(key, API_KEY)
    if file := read_variable(API_KEY_FILE, env):
        return checked(read_file(Path(file).expanduser(), API_KEY_FILE), f"{API_KEY_FILE} ({file})")
    return None


def checked(key: str, where: str) -> str:
    """Refuse what is no key before it is sent anywhere: it may be another service's key. Raises InvalidRequest."""
    if read_key(key) is None:
        raise InvalidRequest(
            where, "holds no API key of Holdfast.", "It looks like hf_…; `holdfast key create` makes one."
        )
    return key


def read_file(file: Path, where: str) -> str:
    """Read the start of a file as text. Raises InvalidRequest."""
    try:
        with file.open("rb") as opened:
            return opened.read(LONGEST).decode(errors="replace").strip()
    except OSError as error:
        raise InvalidRequest(where, f"{file} cannot be read: {error.strerror}.") from None


def write_file(file: Path, key: str) -> None:
    """Write a key so that only the owner of the file can read it. Raises InvalidRequest."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600), "w") as opened:
            os.fchmod(opened.fileno(), 0o600)
            opened.truncate()
            opened.write(f"{key}\n")
            opened.flush()
            os.fsync(opened.fileno())
    except OSError as error:
        raise InvalidRequest("--to", f"{file} cannot be written: {error.strerror}.") from None

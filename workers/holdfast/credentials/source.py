"""The port behind every credential, and its simplest implementation: a key that lies somewhere."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from holdfast.config import read_secret

FRESH = 2.0  # seconds: a file written so recently may be written again within the same tick of its clock

Stamp = tuple[int, int, int]


class CredentialSource(Protocol):
    """Where a key comes from."""

    async def fetch(self) -> str:
        """Get the key now. Raises HoldfastError, which names the place and never a value."""
        ...

    def looks_changed(self) -> bool:
        """Tell cheaply whether ``fetch`` may give another key than last time."""
        ...


class KeySource:
    """A reference: ``env:``, ``file:``, ``command:`` or ``none``. Only a file can be seen to change."""

    def __init__(self, reference: str, clock: Callable[[], float] = time.time) -> None:
        self.reference, self._clock = reference, clock
        kind, _, rest = reference.partition(":")
        self._file = Path(rest).expanduser() if kind == "file" else None
        self._stamp: Stamp | None = None
        self._is_fresh = False

    async def fetch(self) -> str:
        self._look()  # before the read: what is written after it shows as a change
        if self._file is not None or self.reference.startswith("command:"):
            return await asyncio.to_thread(read_secret, self.reference)
        return read_secret(self.reference)

    def looks_changed(self) -> bool:
        """Compare inode, size and time of change; a symbolic link that was swung elsewhere is another inode."""
        return self._file is not None and (self._is_fresh or self._stamp != self._read_stamp())

    def _look(self) -> None:
        self._stamp = self._read_stamp()
        self._is_fresh = self._stamp is not None and abs(self._clock() - self._stamp[0] / 1e9) < FRESH

    def _read_stamp(self) -> Stamp | None:
        if self._file is None:
            return None
        try:
            found = self._file.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

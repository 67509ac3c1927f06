"""Ids: UUIDv7, so that ids sort by the time at which a producer made them.

Inside they are 32 lower-case hex digits; outside they carry the kind of thing they name (``job_…``, ``batch_…``).
"""

import os
import time
from collections.abc import Mapping
from typing import Literal

from holdfast.model.errors import InvalidId

Kind = Literal["job", "batch", "worker", "op", "evt", "alert"]
HEX_LENGTH = 32
RANDOM_BYTES = 10  # of an id
HEX = frozenset("0123456789abcdef")
OTHER_PREFIXES: Mapping[Kind, str] = {"batch": "msg"}  # Anthropic's API names a batch ``msgbatch_…``


def new_id() -> str:
    """Make a UUIDv7 as 32 hex digits: 48 bits of Unix milliseconds, then 74 random bits. Source: RFC 9562, 5.7."""
    return _id_of(os.urandom(RANDOM_BYTES))


def new_ids(count: int) -> list[str]:
    """Make so many ids, in their order."""
    random = os.urandom(RANDOM_BYTES * count)
    return sorted(_id_of(random[at : at + RANDOM_BYTES]) for at in range(0, len(random), RANDOM_BYTES))


def _id_of(random_bytes: bytes) -> str:
    milliseconds, random = time.time_ns() // 1_000_000, int.from_bytes(random_bytes, "big")
    high, low = random >> 68, random & ((1 << 62) - 1)
    return f"{(milliseconds << 80) | (0x7 << 76) | (high << 64) | (0b10 << 62) | low:032x}"


def public_id(kind: Kind, id_: str) -> str:
    """Name ``id_`` for the outside.

    >>> public_id("job", "01934f2e7b7d7c3f8a1b2c3d4e5f6071")
    'job_01934f2e7b7d7c3f8a1b2c3d4e5f6071'
    """
    return f"{kind}_{id_}"


def inner_id(kind: Kind, text: str) -> str:
    """Read an id from the outside, with or without its prefix, or that of another API. Raises InvalidId.

    >>> inner_id("batch", "msgbatch_01934f2e7b7d7c3f8a1b2c3d4e5f6071")
    '01934f2e7b7d7c3f8a1b2c3d4e5f6071'
    """
    bare = text.removeprefix(OTHER_PREFIXES.get(kind, "")).removeprefix(f"{kind}_").replace("-", "").lower()
    if len(bare) != HEX_LENGTH or not HEX.issuperset(bare):
        raise InvalidId(kind, text)
    return bare

"""Creations that a client sends again: found by their fingerprints, 32 hex digits.

The first half names the creation, by its Idempotency-Key where it has one; the second half is what it says. So a key
that comes again with another request is seen.
"""

from collections.abc import Sequence
from typing import Any

from holdfast.model.errors import Conflict
from holdfast.store.micros import to_micros
from holdfast.store.transaction import Transaction

HALF = 16  # hex digits
BEYOND = "g"  # sorts behind every hex digit
OTHER = "it named another request in the last ten minutes. Send a new key with a new request."


def look_for(tx: Transaction, fingerprint: str, within: float) -> dict[str, Any]:
    """Return the parameters of a statement that looks for what a creation has made in the last ``within`` seconds."""
    name = fingerprint[:HALF]
    return {"first": name, "last": name + BEYOND, "since": tx.now - to_micros(within)}


def demand_same(rows: Sequence[Any], fingerprint: str) -> None:
    """Refuse a key that named something else. Raises Conflict."""
    if rows and rows[0].fingerprint != fingerprint:
        raise Conflict("Idempotency-Key", OTHER)

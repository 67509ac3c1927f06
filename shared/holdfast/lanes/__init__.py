"""Lanes and the gate: everything that lies in Redis, which is a cache of SQL and may vanish at any moment.

Names are imported when they are first asked for: only workers need the gate, and a look at a job that has ended needs
no Redis.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from holdfast.lanes.values import WINDOW, BacklogPart, BreakerView, BucketView, FetchStatus, Snapshot

if TYPE_CHECKING:
    from holdfast.lanes.connection import Connection, connect
    from holdfast.lanes.gate import Gate
    from holdfast.lanes.lanes import Lanes
    from holdfast.policy.admission import Reason

PLACES = {
    "Connection": "holdfast.lanes.connection",
    "Gate": "holdfast.lanes.gate",
    "Lanes": "holdfast.lanes.lanes",
    "Reason": "holdfast.policy.admission",
    "connect": "holdfast.lanes.connection",
}

__all__ = [
    "WINDOW",
    "BacklogPart",
    "BreakerView",
    "BucketView",
    "Connection",
    "FetchStatus",
    "Gate",
    "Lanes",
    "Reason",
    "Snapshot",
    "connect",
]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import what is asked for, and nothing else: a command line pays for every import."""
        if name not in PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(PLACES[name]), name)

"""Lanes and the gate: everything that lies in Redis, which is a cache of SQL and may vanish at any moment."""

from holdfast.lanes.connection import Connection, connect
from holdfast.lanes.gate import Gate
from holdfast.lanes.lanes import Lanes
from holdfast.lanes.values import WINDOW, BacklogPart, BreakerView, BucketView, FetchStatus, Snapshot
from holdfast.policy.admission import Reason

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

"""Named places at which a process can be made to die, so that tests can hit every step between two writes.

``HOLDFAST_CRASH_AT=after_claim`` kills the process with SIGKILL the first time it comes to ``after_claim``;
``after_claim:3`` the third time. ``HOLDFAST_FREEZE_AT`` stops it there with SIGSTOP instead, until somebody sends it
SIGCONT. Without the variables the points do nothing.

A permit is settled and its message acknowledged by one script of Redis, so settle and ack share their points.
"""

import os
import signal
from collections.abc import Mapping
from types import MappingProxyType

from holdfast.model.environment import CRASH_AT, FREEZE_AT

CRASH_POINTS: Mapping[str, str] = MappingProxyType(
    {
        # submit
        "before_insert": "The jobs are read and checked; nothing of them is stored.",
        "mid_insert": "Their rows are written, the transaction is open.",
        "before_offer": "They are accepted; the lanes have not heard.",
        "after_offer": "The lanes have heard.",
        "before_response": "The client is still without its answer.",
        # offer, by a worker that refills a window
        "before_refill": "The head of a lane is read from SQL, and not yet offered.",
        "after_refill": "It is in the window.",
        # fetch and claim
        "before_fetch": "The gate is about to be asked.",
        "before_claim": "Redis gave permits; SQL knows of none.",
        "mid_claim": "The attempt rows are written, the transaction is open.",
        "after_claim": "The jobs are running in SQL; no call has begun.",
        # send
        "before_send": "The call is about to begin.",
        "connected": "The call has its connection; no byte of it has left.",
        "leaving": "The call was told that it may go; no byte of it has left.",
        "bytes_sent": "The provider has the request and begins to answer.",
        "mid_body": "A part of the answer's body has arrived.",
        "after_body": "The answer is complete, in memory only.",
        # hedge
        "mid_hedge": "The row of a second call is written, the transaction is open.",
        "after_hedge": "A running job has a second row; its second call has not begun.",
        # record
        "before_record": "The next step is decided; SQL does not know.",
        "mid_record": "The result is written, the transaction is open.",
        "after_record": "The result is committed; Redis does not know.",
        # settle and ack
        "before_settle": "A group of permits is about to be settled and acknowledged.",
        "after_settle": "Redis has heard; the process has not noted that it has.",
        # sweep
        "after_release": "Due jobs are queued in SQL, and not yet offered.",
        "after_expire": "Late jobs are expired.",
        "mid_take_over": "A dead worker's jobs are queued, the transaction is open.",
        "after_take_over": "They are queued; Redis still counts them as the dead worker's.",
        "after_free": "What a dead worker held in Redis is free.",
        # replay
        "before_replay": "The filter is read; nothing has moved.",
        "mid_replay": "Dead letters are queued again, the transaction is open.",
        "mid_drain": "Dead letters are lines of an export and deleted, the transaction is open.",
        "mid_drop": "Dead letters are deleted, the transaction is open.",
        "after_replay": "They are queued again; whoever asked has no answer.",
    }
)


class CrashPoints:
    """The points at which one process is harmed, and how. Counts how often it has come to each."""

    def __init__(self, crash_at: str = "", freeze_at: str = "") -> None:
        harms = (_Harm(crash_at, signal.SIGKILL), _Harm(freeze_at, signal.SIGSTOP))
        self._harms = [harm for harm in harms if harm.point]

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> "CrashPoints":
        return cls(env.get(CRASH_AT, ""), env.get(FREEZE_AT, ""))

    def reach(self, name: str) -> None:
        """Die or stand still if this is where to. ``name`` is one of CRASH_POINTS."""
        for harm in self._harms:
            if harm.point == name:
                harm.come_closer()


class _Harm:
    """What happens to the process when it comes to a point for the n-th time: ``POINT`` or ``POINT:N``."""

    def __init__(self, at: str, signal_: signal.Signals) -> None:
        self.point, _, count = at.partition(":")
        self._left = int(count) if count.isdigit() and int(count) > 0 else 1
        self._signal = signal_

    def come_closer(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), self._signal)

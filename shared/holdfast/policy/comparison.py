"""Whose fault a failure is, told by comparison: what other jobs' calls come to on the same route and credential.

Providers say the same thing in a hundred ways, and what one job causes is told as the route's. So the words decide what
kind of fault it is, and the calls of others whose. Three answers: the job's, when others succeed where it fails; the
route's, when many different jobs fail there; unknown, until there is somebody to compare with. What is unknown counts
against nobody: the job goes elsewhere or steps back, and the next different job is let through.

A value and a function over it. Where the facts come from: ``lanes/evidence.py``.
"""

from dataclasses import dataclass
from enum import StrEnum

from holdfast.model.fault import Fault, FaultKind
from holdfast.policy.error_burst import OFTEN
from holdfast.policy.fault_rules import FAULT_RULES, Scope
from holdfast.policy.health import Health

LATELY = 60.0  # seconds
FEW = 1  # other jobs that fail beside this one: with more of them it may be the route, which has just failed


class Blame(StrEnum):
    """Whose fault a failure is."""

    JOB = "job"
    """Others succeed where it fails. It uses an attempt, whatever its kind."""
    ROUTE = "route"
    """Many fail there. It never counts against the job."""
    UNKNOWN = "unknown"
    """There is nobody to compare with yet."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One job's failures with one credential on one route, beside what the calls of other jobs came to there.

    Times in seconds on the gate's clock; a job has one call at a time, so that every reply is another job's.
    """

    credential: str = ""
    """The credential's name within its provider; "": not known."""
    failing_since: float = 0.0
    """When the first of the job's failed calls there was sent: this one, where it is the first."""
    reply_sent: float | None = None
    """When the latest call there was sent that brought a reply. None: none is remembered."""
    reply_came: float | None = None
    """When the latest reply came from there."""
    others_failing: int = 0
    """Other jobs whose first failed call there was sent later than the call of the latest reply."""

    others_lately: int = 0
    """Other jobs whose first failed call there was sent within the last minute (``LATELY``)."""

    @property
    def others_succeed(self) -> bool:
        """Whether a call that was sent later than this job's first failed one brought a reply."""
        return self.reply_sent is not None and self.reply_sent >= self.failing_since

    @property
    def is_too_early(self) -> bool:
        """Whether all replies since this job's first failed call are to calls from before: an outage may have begun."""
        return self.replied_since and not self.others_succeed

    @property
    def replied_since(self) -> bool:
        """Whether any reply came since this job's first failed call, be it to a call from before."""
        return self.reply_came is not None and self.reply_came >= self.failing_since

    @property
    def others_succeeded_beside(self) -> bool:
        """Whether a reply came while this job's first failed call was under way, and hardly anybody failed since.

        Weaker: an outage may have begun in between. But it is all that there ever is of the last job of a file.
        """
        return self.replied_since and self.others_failing <= FEW

    @property
    def was_well_before(self) -> bool:
        """Whether a reply came within the minute before this job began to fail: then others are not far."""
        return self.reply_came is not None and self.reply_came >= self.failing_since - LATELY

    @property
    def is_alone(self) -> bool:
        """Whether nobody else's call came to anything since this job began to fail there."""
        return bool(self.credential) and self.others_failing == 0 and not self.others_succeed


NOTHING_KNOWN = Comparison()


def blame(fault: Fault, route: str, comparison: Comparison, health: Health) -> Blame:
    """Tell whose fault a failed call is. What is ours is no job's and no route's: unknown.

    >>> from holdfast.model.fault import FaultKind
    >>> fault, well = Fault(FaultKind.FORBIDDEN), Health()
    >>> blame(fault, "a/m", Comparison("main", failing_since=10.0, reply_sent=12.0), well)
    <Blame.JOB: 'job'>
    >>> blame(fault, "a/m", Comparison("main", failing_since=10.0, reply_sent=9.0), well)
    <Blame.UNKNOWN: 'unknown'>
    """
    if FAULT_RULES[fault.kind].scope is Scope.US:
        return Blame.UNKNOWN
    if is_believed_wrong(fault, route, health):
        return Blame.JOB
    if route in health.open_routes | health.failing_routes | health.degraded:
        return Blame.ROUTE
    return Blame.JOB if comparison.others_succeed or comparison.others_succeeded_beside else Blame.UNKNOWN


def is_believed_wrong(fault: Fault, route: str, health: Health) -> bool:
    """Whether a request is called wrong by a route that called everybody wrong, until that was believed."""
    return fault.kind is FaultKind.INVALID_REQUEST and route in health.believed


def is_its_own(
    fault: Fault, tries: int, route: str, comparison: Comparison, health: Health, *, before: FaultKind | None = None
) -> bool:
    """Whether a failed call says nothing of what it went through: its job failed before, ``tries`` times, and alone.

    Its first failures are told to the breakers as everybody's are, for every outage has a first job. But a refusal says
    nothing from the first on where a call that was sent later brought a reply. ``before`` is what the job's call before
    this one ended with: a request that is called wrong twice is one wrong request, for a burst is one of many jobs.
    """
    if is_believed_wrong(fault, route, health):
        return False
    whose = blame(fault, route, comparison, health)
    if fault.kind is before is FaultKind.INVALID_REQUEST and whose is not Blame.ROUTE:
        return True
    if whose is not Blame.JOB:
        return False
    return tries >= OFTEN or (FAULT_RULES[fault.kind].is_refusal and comparison.others_succeed)

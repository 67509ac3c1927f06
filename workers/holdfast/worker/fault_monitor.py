"""What a process notices about its providers besides single calls: bursts of faults, and codes that nobody knows."""

from collections import Counter
from dataclasses import dataclass, field

import structlog

from holdfast.model.attempt import Attempt
from holdfast.model.fault import Fault
from holdfast.policy.fault_windows import FaultWindows
from holdfast.policy.health import Health
from holdfast.testing import PRODUCTION, Clock

log = structlog.get_logger()


@dataclass(slots=True)
class FaultMonitor:
    """``codes`` counts what no table knows, by route, status and code; each is told in the log when it is new."""

    clock: Clock = PRODUCTION.clock
    codes: Counter[tuple[str, int | None, str | None]] = field(default_factory=Counter)
    windows: FaultWindows = field(default_factory=FaultWindows)

    def record(self, attempt: Attempt) -> None:
        """Take in how a call ended."""
        fault, route, job = attempt.fault, attempt.route.name, attempt.job
        if fault is not None and fault.unfamiliar:
            self._count(route, fault)
        if attempt.outcome is not None:
            self.windows.note(route, job.id, attempt.outcome, job.tries, self.clock.monotonic())

    def health(self, health: Health) -> Health:
        """What the gate says, and what this process saw: routes in a burst are shut, others fail many jobs."""
        return self.windows.health(health, self.clock.monotonic())

    def _count(self, route: str, fault: Fault) -> None:
        key = (route, fault.status, fault.code)
        self.codes[key] += 1
        seen = self.codes[key]
        if str(seen).strip("0") == "1":  # the first, the tenth, the hundredth
            log.warning(
                "unfamiliar_code", route=route, status=fault.status, code=fault.code, taken_as=fault.kind, seen=seen
            )

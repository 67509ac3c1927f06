"""What a process notices about its providers besides single calls: storms, and codes that nobody knows."""

from collections import Counter
from dataclasses import dataclass, field, replace

import structlog

from holdfast.model.attempt import Attempt
from holdfast.model.fault import Fault, FaultKind
from holdfast.policy.error_burst import Window, is_degraded, is_error_burst, note_budget_use, note_client_error
from holdfast.policy.fault_rules import consumes_budget
from holdfast.policy.retry import Health
from holdfast.testing import PRODUCTION, Clock

log = structlog.get_logger()


@dataclass(slots=True)
class FaultMonitor:
    """``codes`` counts what no table knows, by route, status and code; each is told in the log when it is new."""

    clock: Clock = PRODUCTION.clock
    codes: Counter[tuple[str, int | None, str | None]] = field(default_factory=Counter)
    _windows: dict[str, Window] = field(default_factory=dict)
    _worn: dict[str, Window] = field(default_factory=dict)

    def record(self, attempt: Attempt) -> None:
        """Take in how a call ended."""
        fault, route, job = attempt.fault, attempt.route.name, attempt.job.id
        if fault is not None and fault.unfamiliar:
            self._count(route, fault)
        wrong = fault is not None and fault.kind is FaultKind.INVALID_REQUEST
        costly = fault is not None and consumes_budget(fault)
        now = self.clock.monotonic()
        if wrong or self._windows.get(route):
            self._windows[route] = note_client_error(self._windows.get(route, ()), now, job, wrong=wrong)
        if costly or self._worn.get(route):
            self._worn[route] = note_budget_use(self._worn.get(route, ()), now, job, wrong=costly)

    def health(self, health: Health) -> Health:
        """What the gate says, and what this process saw: routes in a storm are shut, others wear their jobs out."""
        storms, degraded = self.error_bursts(), self.degraded()
        if not storms and not degraded:
            return health
        return replace(health, open_routes=health.open_routes | storms, degraded=health.degraded | degraded)

    def error_bursts(self) -> frozenset[str]:
        """Routes that call too many different jobs wrong."""
        now = self.clock.monotonic()
        return frozenset(route for route, window in self._windows.items() if is_error_burst(window, now))

    def degraded(self) -> frozenset[str]:
        """Routes on which too many different jobs are cut or refused for it to be their own fault."""
        now = self.clock.monotonic()
        return frozenset(route for route, window in self._worn.items() if is_degraded(window, now))

    def _count(self, route: str, fault: Fault) -> None:
        key = (route, fault.status, fault.code)
        self.codes[key] += 1
        seen = self.codes[key]
        if str(seen).strip("0") == "1":  # the first, the tenth, the hundredth
            log.warning(
                "unfamiliar_code", route=route, status=fault.status, code=fault.code, taken_as=fault.kind, seen=seen
            )

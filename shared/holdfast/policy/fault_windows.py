"""What one process notices of its routes besides single calls: error bursts, and routes that fail many jobs.

The only state in policy that is written to: a worker keeps one, and so does each worker of the simulation.
"""

from dataclasses import dataclass, field

from holdfast.model.fault import Fault, FaultKind
from holdfast.model.reply import Reply
from holdfast.policy.error_burst import Window, is_degraded, is_error_burst, note_client_error, note_failure
from holdfast.policy.fault_rules import is_failure
from holdfast.policy.health import Health


@dataclass(slots=True)
class FaultWindows:
    """``client_errors``, ``failures``: the two windows of ``error_burst``, by route. Times in seconds on one clock."""

    client_errors: dict[str, Window] = field(default_factory=dict)
    failures: dict[str, Window] = field(default_factory=dict)

    def note(self, route: str, job: str, outcome: Reply | Fault, tries: int, now: float) -> None:
        """Take in how a call ended. ``tries``: failed calls that its job had before. A healthy route costs nothing."""
        failed = is_failure(outcome)
        wrong = not isinstance(outcome, Reply) and outcome.kind is FaultKind.INVALID_REQUEST
        if wrong or self.client_errors.get(route):
            window = self.client_errors.get(route, ())
            self.client_errors[route] = note_client_error(window, now, job, wrong=wrong)
        if failed or self.failures.get(route):
            window = self.failures.get(route, ())
            self.failures[route] = note_failure(window, now, job, wrong=failed, tries=tries)

    def health(self, health: Health, now: float) -> Health:
        """What the gate says, and what this process saw."""
        return health.besides(error_bursts=self.error_bursts(now), degraded=self.degraded(now))

    def error_bursts(self, now: float) -> frozenset[str]:
        """Routes that call too many different jobs wrong."""
        return frozenset(route for route, window in self.client_errors.items() if is_error_burst(window, now))

    def degraded(self, now: float) -> frozenset[str]:
        """Routes on which too many different jobs fail for it to be their own fault."""
        return frozenset(route for route, window in self.failures.items() if is_degraded(window, now))

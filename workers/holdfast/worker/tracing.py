"""Where the way of a job is traced, if anybody does: decided once, when a pool is put together."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Protocol

from holdfast.config import Settings
from holdfast.model.attempt import Attempt
from holdfast.model.job import Claimed
from holdfast.telemetry.tracing import is_tracing

if TYPE_CHECKING:
    from holdfast.worker.call_runner import CallInFlight


class Tracing(Protocol):
    """What is traced of a job: each claim of it, each call, and the record of what came of them."""

    def process(self, job: Claimed) -> AbstractContextManager[None]:
        """From the claim to the job's next state."""

    def call(self, call: "CallInFlight") -> AbstractContextManager[None]:
        """One call, with what came of it."""

    def settle(self, attempts: Sequence[Attempt]) -> AbstractContextManager[None]:
        """The record of the attempts and of the job's next state."""


class Untraced:
    """Nobody traces, and nothing is done."""

    nothing = nullcontext()

    def process(self, job: Claimed) -> AbstractContextManager[None]:  # noqa: ARG002 - see Tracing
        return self.nothing

    def call(self, call: "CallInFlight") -> AbstractContextManager[None]:  # noqa: ARG002 - see Tracing
        return self.nothing

    def settle(self, attempts: Sequence[Attempt]) -> AbstractContextManager[None]:  # noqa: ARG002 - see Tracing
        return self.nothing


def tracing_of(settings: Settings) -> Tracing:
    """Choose by whether this process has a tracer provider."""
    if not is_tracing():
        return Untraced()
    from holdfast.worker.job_spans import JobSpans  # noqa: PLC0415 - imports OpenTelemetry

    return JobSpans(settings.providers)

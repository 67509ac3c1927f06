"""Makes one call under its deadline, and ends it before that where waiting for it makes no sense any more."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from functools import partial

from holdfast.credentials import NoToken
from holdfast.model.attempt import Attempt
from holdfast.model.call_result import CallResult
from holdfast.model.errors import HoldfastError, QueueUnavailable, Unmappable
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.ids import public_id
from holdfast.model.job import MappingReport
from holdfast.model.route import Plan
from holdfast.policy.fault_rules import FAULT_RULES, Scope
from holdfast.testing import PRODUCTION, Clock
from holdfast.wire.strictness import demand_allowed
from holdfast.worker.context import WorkerContext
from holdfast.worker.credential_monitor import CredentialMonitor
from holdfast.worker.fault_counter import FaultCounter
from holdfast.worker.provider_pool import ProviderPool
from holdfast.worker.repairs import AnswerRepair

UNSENT = Fault(FaultKind.INTERNAL, "it was not needed any more before it was sent")


@dataclass(slots=True, eq=False)
class CallInFlight:
    """The handle of a call under way. ``attempt`` is as far as the call has come.

    ``abandoned``: why nobody waits for it any more. ``may_have_left``: nothing of ours has held it back, so that bytes
    of it may be with the provider. ``over``: it has ended.
    """

    attempt: Attempt
    clock: Clock = PRODUCTION.clock
    abandoned: Fault | None = None
    may_have_left: bool = False
    over: bool = False
    _began: float = field(init=False)
    _timeout: asyncio.Timeout | None = None  # while bytes may be under way

    def __post_init__(self) -> None:
        self._began = self.clock.monotonic()

    @property
    def age(self) -> float:
        """Seconds since it began."""
        return self.clock.monotonic() - self._began

    def abandon(self, why: Fault) -> None:
        """Close its connection, so that it ends with ``why``. Does nothing to a call that is over."""
        if self.over or self.abandoned is not None:
            return
        self.abandoned = why
        if self._timeout is not None:
            self._timeout.reschedule(asyncio.get_running_loop().time())

    async def unless_abandoned(self, answer: Awaitable[CallResult]) -> CallResult:
        """Wait for ``answer`` until the call is abandoned."""
        try:
            async with asyncio.timeout(None) as self._timeout:
                return await answer
        except TimeoutError:
            assert self.abandoned is not None
            return CallResult(self.abandoned, seconds=self.clock.real(self.age))  # as adapters measure
        finally:
            self._timeout = None


@dataclass(slots=True)
class CallRunner:
    """Makes calls through the adapters. What Holdfast knows to go wrong on its side of one is a fault."""

    context: WorkerContext
    providers: ProviderPool
    credential_monitor: CredentialMonitor
    faults: FaultCounter | None = None
    repair: AnswerRepair = field(init=False)

    def __post_init__(self) -> None:
        self.repair = AnswerRepair(self.context)

    async def run(self, call: CallInFlight, plan: Plan) -> CallResult:
        """Make one call. The times in its result are those of this process's clock. Raises bugs.

        The call's attempt keeps what the adapter brought, whatever breaks after that.
        """
        try:
            demand_allowed(call.attempt.job.request, plan, call.attempt.route)
            result = await self._send(call)
        except Unmappable as error:
            result = CallResult(Fault(FaultKind.UNMAPPABLE, str(error)))
        except NoToken as error:
            result = CallResult(Fault(FaultKind.NO_TOKEN, str(error)))
        except HoldfastError as error:
            result = CallResult(Fault(FaultKind.INTERNAL, str(error)))
        finally:
            call.over = True
        self._note_credential(call.attempt, result)
        return result

    async def _send(self, call: CallInFlight) -> CallResult:
        attempt, route, permit = call.attempt, call.attempt.route, call.attempt.permit
        client = await self.providers.client(route, permit.credential)
        request, told = await self.repair.request_of(attempt.job)
        self.context.runtime.crash_point("before_send")
        if call.abandoned is not None:
            return CallResult(UNSENT)
        answer = client.complete(
            route.model,
            request,
            deadline=self.context.runtime.clock.real(route.deadline),
            tag=tag(attempt),
            refusal=partial(self._refusal, call),
            ceiling=attempt.job.output_ceiling,
        )
        result = await call.unless_abandoned(answer)
        result = replace(result, mapping=MappingReport((*told, *result.mapping.notes))) if told else result
        call.attempt = replace(attempt, result=result)
        self.context.runtime.crash_point("after_body")
        if isinstance(result.outcome, Fault) and result.outcome.kind is FaultKind.AUTH:
            self.providers.login_refused(route, permit.credential, client)
        clock = self.context.runtime.clock
        return result if clock.is_real else replace(result, seconds=clock.passed(result.seconds))

    async def _refusal(self, call: CallInFlight) -> str | None:
        """Why a call may not leave now: this process stood still since the claim, and what it held is others' now."""
        permit = call.attempt.permit
        try:
            why = await self.context.gate.renewal.refusal(permit)
        except QueueUnavailable as error:
            self.context.dependencies.failed(error)
            why = "its permit is old, and Redis cannot be asked for another"
        if not self.context.lease.covers(permit.worker):
            why = "this worker's lease ran out before the call"
        self.context.slots.left(permit.id)
        call.may_have_left = why is None
        return why

    def _note_credential(self, attempt: Attempt, result: CallResult) -> None:
        """Remember what a call said of its credential and its route, for the operator."""
        if isinstance(result.outcome, Fault) and self.faults is not None:
            self.faults.record(attempt.route.name, result.outcome)
        if isinstance(result.outcome, Fault) and FAULT_RULES[result.outcome.kind].scope is Scope.CREDENTIAL:
            name = f"{attempt.route.provider}/{attempt.permit.credential}"
            self.credential_monitor.record(name, result.outcome.kind)


def tag(attempt: Attempt) -> str:
    """Name an attempt to its provider: job, generation and number, which are together unique."""
    return f"{public_id('job', attempt.job.id)}/{attempt.job.generation}/{attempt.number}"

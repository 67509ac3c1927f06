"""One call: made under its deadline, and left before that where waiting for it makes no sense any more."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field, replace
from functools import partial

from holdfast.config import clock, crash_point
from holdfast.credentials import NoToken
from holdfast.lanes import Gate
from holdfast.model.call_result import CallResult
from holdfast.model.errors import HoldfastError, QueueUnavailable
from holdfast.model.fault import Fault, FaultKind, Scope
from holdfast.model.ids import public_id
from holdfast.model.job import Claimed, Permit
from holdfast.model.reply import Reply, Usage
from holdfast.model.route import Route
from holdfast.policy.retry import asks_another
from holdfast.worker.call_slots import CallSlots
from holdfast.worker.credential_monitor import CredentialMonitor
from holdfast.worker.dependency_health import DependencyHealth
from holdfast.worker.lease import Lease
from holdfast.worker.provider_pool import ProviderPool

NEVER_SENT = frozenset({FaultKind.INTERNAL, FaultKind.UNMAPPABLE, FaultKind.NO_TOKEN})
UNSENT = Fault(FaultKind.INTERNAL, "it was not needed any more before it was sent")


@dataclass(slots=True, eq=False)
class Calling:
    """A call under way. ``left``: why it is not waited for any more. ``over``: it came to its end."""

    job: Claimed
    permit: Permit
    route: Route
    began: float = field(default_factory=clock.monotonic)
    left: Fault | None = None
    over: bool = False
    _patience: asyncio.Timeout | None = None  # while bytes may be under way

    @property
    def age(self) -> float:
        """Seconds since it began."""
        return clock.monotonic() - self.began

    @property
    def tag(self) -> str:
        """Names the attempt at the provider."""
        return f"{public_id('job', self.job.id)}/{self.job.generation}/{self.job.attempt_number}"

    def leave(self, why: Fault) -> None:
        """Stop waiting: the connection is closed, and the call ends with ``why``. Nothing for one that is over."""
        if self.over or self.left is not None:
            return
        self.left = why
        if self._patience is not None:
            self._patience.reschedule(asyncio.get_running_loop().time())

    async def patiently(self, answer: Awaitable[CallResult]) -> CallResult:
        """Wait for ``answer`` until the call is left."""
        try:
            async with asyncio.timeout(None) as self._patience:
                return await answer
        except TimeoutError:
            assert self.left is not None
            return CallResult(self.left, seconds=clock.real(self.age))  # as adapters measure
        finally:
            self._patience = None


@dataclass(frozen=True, slots=True)
class Called:
    """A call that is over. ``outcome`` is the answer's, or the fault that the job's own schema found in its reply."""

    job: Claimed
    permit: Permit
    route: Route
    answer: CallResult
    outcome: Reply | Fault

    @property
    def reply(self) -> Reply | None:
        return self.answer.outcome if isinstance(self.answer.outcome, Reply) else None

    @property
    def usage(self) -> Usage | None:
        return self.reply.usage if self.reply else None

    @property
    def is_good(self) -> bool:
        """Whether its job can end with it."""
        return isinstance(self.outcome, Reply) and not asks_another(self.job, self.outcome)

    @property
    def was_sent(self) -> bool:
        return not isinstance(self.outcome, Fault) or self.outcome.kind not in NEVER_SENT


@dataclass(slots=True)
class Calls:
    """Makes calls. Whatever goes wrong on our side of the adapter is a fault of our own."""

    providers: ProviderPool
    lease: Lease
    credential_monitor: CredentialMonitor
    gate: Gate
    dependencies: DependencyHealth
    slots: CallSlots

    async def make(self, calling: Calling) -> CallResult:
        """Make one call. The times of its answer are those of this process's clock."""
        try:
            answer = await self._make(calling)
        except NoToken as error:
            answer = CallResult(Fault(FaultKind.NO_TOKEN, str(error)))
        except HoldfastError as error:
            answer = CallResult(Fault(FaultKind.INTERNAL, str(error)))
        finally:
            calling.over = True
        self._note_login(calling, answer)
        return answer

    async def _make(self, calling: Calling) -> CallResult:
        route, permit = calling.route, calling.permit
        client = await self.providers.client(route, permit.credential)
        crash_point("before_send")
        if calling.left is not None:
            return CallResult(UNSENT)
        deadline = clock.real(route.deadline)
        request, refusal = calling.job.request, partial(self._refusal, permit)
        made = client.complete(route.model, request, deadline=deadline, tag=calling.tag, refusal=refusal)
        answer = await calling.patiently(made)
        crash_point("after_body")
        if isinstance(answer.outcome, Fault) and answer.outcome.kind is FaultKind.AUTH:
            self.providers.login_refused(route, permit.credential, client)
        return answer if clock.is_real() else replace(answer, seconds=clock.passed(answer.seconds))

    async def _refusal(self, permit: Permit) -> str | None:
        """Why a call may not leave now: this process stood still since the claim, and what it held is others' now."""
        try:
            why = await self.gate.refusal(permit)
        except QueueUnavailable as error:
            self.dependencies.redis_failed(error)
            why = "its permit is old, and Redis cannot be asked for another"
        if not self.lease.covers(permit.worker):
            why = "this worker's lease ran out before the call"
        self.slots.left(permit.id)
        return why

    def _note_login(self, calling: Calling, answer: CallResult) -> None:
        """Remember what a call said of its credential, for the operator."""
        if isinstance(answer.outcome, Fault) and answer.outcome.scope is Scope.CREDENTIAL:
            self.credential_monitor.heard(f"{calling.route.provider}/{calling.permit.credential}", answer.outcome.kind)

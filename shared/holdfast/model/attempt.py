"""An attempt: one call for a claimed job on one route, as one value from its claim to its acknowledgement."""

from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.model.call_result import CallResult, Dimension, LimitSeen, ProviderResponse
from holdfast.model.fault import Fault
from holdfast.model.job import Claimed, MappingReport, Permit
from holdfast.model.reply import Reply, Usage
from holdfast.model.route import Route
from holdfast.model.step import Step


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call for one job. It grows by ``replace`` and is never changed; what is not known yet is None.

    A hedged job has two attempts under one fence. The one that decides what becomes of the job carries the step.
    """

    job: Claimed  # as its claim read it from SQL; the fence in it guards every later write
    permit: Permit  # the gate's, for this call alone; given back when the attempt is released
    route: Route  # where the permit says that the call goes
    number: int  # of the attempt's row, from 1 in a generation; the row stands before a byte is sent
    result: CallResult | None = None  # set by the call runner, when the call has ended
    outcome: Reply | Fault | None = None  # set by the judge: a reply that breaks its job's schema is a fault
    step: Step | None = None  # set by the decision; taken away again when SQL refuses it, so that nothing is put back
    ended_at: float | None = None  # set by the call runner: when the call ended, in seconds on the gate's clock
    is_own: bool = False  # set by the decision: it failed by its job's doing alone, so that no breaker hears of a fault
    released: bool = False  # the gate has heard of the call already: it failed while a second one still ran

    @property
    def key(self) -> tuple[str, int]:
        """The claim it belongs to: job and fence."""
        return self.job.id, self.job.fence

    @property
    def fault(self) -> Fault | None:
        """What went wrong, as it was judged."""
        return self.outcome if isinstance(self.outcome, Fault) else None

    @property
    def reply(self) -> Reply | None:
        """What the provider answered, also where it was judged a fault: it was paid for."""
        return self.result.outcome if self.result and isinstance(self.result.outcome, Reply) else None

    @property
    def usage(self) -> Usage | None:
        """Tokens that the provider counted or, where it sent no count, that we estimated."""
        reply = self.reply
        return reply.usage if reply else None

    @property
    def seconds(self) -> float:
        """How long the call took; 0 where it was not made."""
        return self.result.seconds if self.result else 0.0

    @property
    def is_reply(self) -> bool:
        """Whether the call brought a reply that was judged one."""
        return isinstance(self.outcome, Reply)

    @property
    def limits(self) -> Mapping[Dimension, LimitSeen]:
        """What the answer's headers told of rate limits."""
        return self.result.limits if self.result else {}

    @property
    def response(self) -> ProviderResponse | None:
        """The provider's answer as it came, where it is worth keeping."""
        return self.result.response if self.result else None

    @property
    def mapping(self) -> MappingReport:
        """What the request lost on its way into the route's format."""
        return self.result.mapping if self.result else MappingReport()

    @property
    def cost_micros(self) -> int:
        """Micro-dollars by the route's price; 0 where nothing was answered or the price is unknown."""
        usage, price = self.usage, self.route.known_price
        return price.cost_micros(usage.input, usage.output) if usage and price else 0

"""What a worker needs of a provider: one call at a time, every failure told as a fault."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from holdfast.model.call_result import CallResult
from holdfast.model.request import Request

Refusal = Callable[[], Awaitable[str | None]]  # why a call may not leave now, in words; None: it may


class Provider(Protocol):
    """One credential at one provider. Safe to share between the coroutines of one event loop."""

    async def complete(
        self,
        model: str,
        request: Request,
        *,
        deadline: float,
        tag: str,
        refusal: Refusal | None = None,
        ceiling: int | None = None,
    ) -> CallResult:
        """Make one call, at most ``deadline`` seconds in all. Every failure is a fault in the result.

        Args:
            model: The provider's name of the model.
            request: The prompt.
            deadline: Real seconds, > 0, from the first connect to the last byte of the body.
            tag: Names the attempt, and no other; the provider sees it as the header ``x-holdfast-attempt``.
            ceiling: The most output tokens that a provider granted this job, where one refused more.
            refusal: Asked when the connection stands and no byte of the call has left; refused, it is a fault of ours.
        """
        ...

    async def close(self) -> None: ...

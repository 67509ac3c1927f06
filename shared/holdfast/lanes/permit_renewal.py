"""The last word before a call leaves: a permit that was not used at once is asked for anew.

Without it a process that stood still (stopped, starved, waiting for a slow disk) would send what it was permitted
long ago on top of what others were permitted since, and the provider would see more than its limit.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from holdfast.model.job import Permit
from holdfast.policy.rate_limit import OLD, is_late

AT_ONCE = 200  # permits a script call
TRIES = 3  # answers that may come too late themselves; a process so slow had better not call

WHY_NOT = {
    "gone": "Redis does not know its permit any more",
    "slots": "its slot ran out",
    "breaker": "its route's breaker moved",
    "bucket": "its allowance is others' by now",
    "late": "this process is too slow",
    "refused": "the provider refused another call of its rate limit meanwhile",
}

Renew = Callable[[Sequence[Permit]], Awaitable[Sequence[str]]]


@dataclass(slots=True)
class PermitRenewal:
    """Holds the permits of one process that came late, and renews them in groups.

    ``renew`` asks Redis: "" for each permit that may be used now, else why not. ``clock`` in seconds, never going back.
    ``is_limited`` tells whether anybody knows the request limit of what a permit is for, and ``is_refused`` whether a
    call of the same limit was refused since the permit was asked for.
    """

    renew: Renew
    clock: Callable[[], float] = time.monotonic
    is_limited: Callable[[Permit], bool] = lambda _: True
    is_refused: Callable[[Permit], bool] = lambda _: False
    _waiting: list[tuple[Permit, "asyncio.Future[str]"]] = field(default_factory=list)
    _asking: "asyncio.Task[None] | None" = None

    async def refusal(self, permit: Permit) -> str | None:
        """Why the call of ``permit`` may not be sent at this moment; None: it may. Raises QueueUnavailable."""
        if self.is_refused(permit):
            return WHY_NOT["refused"]
        asked_at = permit.asked_at
        for _ in range(TRIES):
            if not is_late(self.clock() - asked_at):
                return None
            asked_at = self.clock()
            if why := await self._ask(permit):
                return WHY_NOT.get(why, why)
            if not self.is_limited(permit):
                return None  # no allowance that it could come too late for: a process that just starts is slow
        return None if not is_late(self.clock() - asked_at) else WHY_NOT["late"]

    def late(self, permit: Permit) -> bool:
        """Whether the units of ``permit`` are spent even where its call was never made."""
        return is_late(self.clock() - permit.asked_at)

    def _ask(self, permit: Permit) -> "asyncio.Future[str]":
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append((permit, answer))
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_all())
        return answer

    async def _ask_all(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting[:AT_ONCE], self._waiting[AT_ONCE:]
            try:
                answers = await self.renew([permit for permit, _ in group])
            except Exception as error:  # noqa: BLE001  each of those who wait hears it
                _fail([answer for _, answer in group], error)
            else:
                for (_, answer), why in zip(group, answers, strict=True):
                    if not answer.done():
                        answer.set_result(why)


def _fail(answers: Sequence["asyncio.Future[str]"], error: Exception) -> None:
    for answer in answers:
        if not answer.done():
            answer.set_exception(error)


def renew_arguments(
    permits: Sequence[Permit], now: float, is_limited: Callable[[Permit], bool] = lambda _: True
) -> list[str | int]:
    """What renew.lua wants to know of permits, after the clock. ``now`` on the clock of their ``asked_at``."""
    arguments: list[str | int] = [repr(OLD), len(permits)]
    for permit in permits:
        arguments += [permit.id, repr(now - permit.asked_at), int(is_limited(permit)), *_pairs(permit.epochs)]
    return arguments


def _pairs(epochs: Mapping[str, int]) -> list[str | int]:
    return [len(epochs), *(part for pair in epochs.items() for part in pair)]

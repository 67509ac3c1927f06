"""Those with equal keys take turns in the order in which they came; who shares a turn waits for nobody that shares."""

import asyncio

from holdfast.api.compatible.turns import Turns


class Visitors:
    """Tasks that each take a turn of one key and stay until they are let go. ``inside``: those who have theirs."""

    def __init__(self) -> None:
        self.turns, self.inside = Turns(), list[str]()
        self._let_go: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, *names: str, shared: bool) -> None:
        for name in names:
            self._let_go[name] = asyncio.Event()
            self._tasks[name] = asyncio.create_task(self._visit(name, shared=shared))
            await asyncio.wait(self._tasks.values(), timeout=0)

    async def go(self, name: str) -> None:
        self._let_go[name].set()
        await self._tasks[name]
        await asyncio.wait(self._tasks.values(), timeout=0)

    async def give_up(self, name: str) -> None:
        self._tasks[name].cancel()
        await asyncio.wait({self._tasks[name]})

    async def _visit(self, name: str, *, shared: bool) -> None:
        async with self.turns.take("key", shared=shared):
            self.inside.append(name)
            await self._let_go[name].wait()
            self.inside.remove(name)


async def test_who_shares_a_turn_goes_in_beside_others_who_do() -> None:
    visitors = Visitors()
    await visitors.come("first", "second", shared=True)
    assert visitors.inside == ["first", "second"]


async def test_who_does_not_share_goes_in_behind_all_and_before_all_who_come_later() -> None:
    visitors = Visitors()
    await visitors.come("first", "second", shared=True)
    await visitors.come("alone", shared=False)
    await visitors.come("later", shared=True)
    await visitors.go("first")
    assert visitors.inside == ["second"]
    await visitors.go("second")
    assert visitors.inside == ["alone"]
    await visitors.go("alone")
    assert visitors.inside == ["later"]


async def test_who_gives_up_waiting_holds_up_nobody_and_lets_nobody_past_those_inside() -> None:
    visitors = Visitors()
    await visitors.come("inside", "waiting", "last", shared=False)
    await visitors.give_up("waiting")
    assert visitors.inside == ["inside"]
    await visitors.go("inside")
    assert visitors.inside == ["last"]


async def test_other_keys_wait_for_nobody_and_nothing_is_kept_of_a_turn_that_is_over() -> None:
    turns = Turns()
    async with turns.take("one"), turns.take("another"):
        pass
    assert not turns._taken

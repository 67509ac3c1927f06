"""What operators force stands in SQL; Redis is told of each change, and of everything when it forgot."""

from holdfast.store.overrides import set_override
from lanes_twin import LANE
from worker.workshop import Workshop


def force(workshop: Workshop, kind: str, name: str, value: str | None) -> None:
    workshop.scene.store.write(set_override, kind, name, value, "me")


def told(workshop: Workshop) -> dict:
    return dict(workshop.context.gate.lanes.overrides())


async def test_what_is_forced_and_freed_again_is_told(workshop: Workshop):
    force(workshop, "lane", LANE, "paused")
    force(workshop, "route", "anthropic/opus", "open")
    await workshop.overrides.follow()
    assert told(workshop) == {("lane", LANE): "paused", ("route", "anthropic/opus"): "open"}
    force(workshop, "lane", LANE, None)
    force(workshop, "route", "anthropic/opus", "closed")
    await workshop.overrides.follow()
    assert told(workshop) == {("route", "anthropic/opus"): "closed"}


async def test_a_redis_that_forgot_is_told_again_and_forgets_what_is_forced_no_more(workshop: Workshop):
    force(workshop, "lane", LANE, "paused")
    await workshop.overrides.follow()
    workshop.connection.sync().flushall()
    workshop.context.gate.lanes.set_paused("other.batch", True)
    await workshop.context.gate.begin(fresh=False)
    await workshop.overrides.follow()
    assert told(workshop) == {("lane", LANE): "paused"}


async def test_a_redis_that_forgets_nothing_is_told_nothing_twice(workshop: Workshop):
    force(workshop, "lane", LANE, "paused")
    await workshop.overrides.follow()
    workshop.context.gate.lanes.set_paused(LANE, False)  # by somebody else: only a loss makes us look
    await workshop.overrides.follow()
    assert told(workshop) == {}

"""A provider that stood still knows that what it sees then may have come at any time since."""

import time
from dataclasses import asdict

from holdfast.lab.ledger_audit import KnownLimit, fullest
from holdfast.lab.providers.calls import SeenCall
from holdfast.lab.providers.poll_clock import PollClock
from lab.providers.asking import asking, chat


def spans(*calls: SeenCall) -> list[tuple[float, float]]:
    return [(call.came_after, call.started) for call in calls]


def test_a_request_came_after_the_last_looks_however_long_ago_they_were() -> None:
    times = iter((0.0, 0.01, 0.02, 0.03, 0.04, 0.9, 0.91, 0.92, 0.93))
    attention = PollClock(lambda: next(times))
    for _ in range(5):  # the process stood still before the last one
        attention.look()
    assert attention.since == 0.02
    for _ in range(3):
        attention.look()
    assert attention.since == 0.9


async def test_every_call_that_a_provider_logs_says_what_it_came_after() -> None:
    began = time.time()
    async with asking() as sim:
        await sim.ask(*chat())
        (call,) = sim.sim.calls
    assert began - 1 <= call.came_after <= call.started
    assert asdict(call)["since"] is not None


def test_a_clump_of_the_providers_own_making_is_no_burst() -> None:
    """Sixty a second come; those of the first 0.9 s are seen at once."""
    late = [SeenCall(0.9, "/", since=0.0) for _ in range(54)]
    after = [SeenCall(0.9 + n / 60, "/", since=0.9 + n / 60) for n in range(60)]
    assert fullest([(each.started, each.started) for each in late + after], 1.0)[0] > 100
    assert fullest(spans(*late, *after), 1.0)[0] == 60


def test_a_burst_that_was_seen_in_time_is_counted_whole() -> None:
    calls = [SeenCall(10 + n / 1000, "/", since=10 + n / 1000 - 0.03) for n in range(120)]
    assert fullest(spans(*calls), 1.0)[0] == 120 > KnownLimit(50, 50).rate + KnownLimit(50, 50).burst

"""Outages that nobody tuned anything for: each with the most failed calls and the latest job that are sane there."""

from dataclasses import dataclass

from holdfast.lab.drill.scenario import Scenario
from lab.simulation.scenes import scenario

FLAPS = [(300 * n, [(1.0, "e503")] if n % 2 else []) for n in range(1, 13)]
WAVES = [(300, [(0.6, "e401")]), (900, [(0.95, "e401")]), (2_400, [(0.3, "e401")]), (3_000, [])]


@dataclass(frozen=True)
class Unseen:
    """``failed``: most failed calls. ``late``: seconds within which 99 of 100 jobs are done."""

    scenario: Scenario
    failed: int
    late: float


def unseen(name, script, seconds, failed, late, **more) -> Unseen:
    return Unseen(scenario(script, seconds=seconds, name=name, **more), failed, late)


UNSEEN = [
    unseen("a quarter of the calls fails", [(300, [(0.25, "e500")]), (3_000, [])], 3_600, 2_000, 6),
    unseen("a quarter fails, alone", [(300, [(0.25, "e500")]), (3_000, [])], 3_600, 6_000, 15, single=True),
    unseen("half is cut, alone", [(300, [(0.5, "reset")]), (3_000, [])], 3_600, 20_000, 200, single=True),
    unseen("a tenth hangs, alone", [(300, [(0.1, "hang")]), (3_000, [])], 3_600, 2_500, 120, single=True),
    unseen("everything hangs for three hours", [(300, [(1.0, "hang")]), (11_100, [])], 12_000, 200, 10),
    unseen("everything hangs, alone", [(300, [(1.0, "hang")]), (3_000, [])], 7_200, 200, 3_000, single=True),
    unseen("up and down every five minutes", FLAPS, 3_900, 150, 6),
    unseen("up and down, alone", FLAPS, 3_900, 300, 400, single=True),
    unseen("waves of 401, alone", WAVES, 6_000, 500, 2_900, single=True),
    unseen("false 429, alone", [(300, [(0.9, "e429")]), (3_000, [])], 7_200, 500, 3_000, single=True),
    unseen("both providers are ill", [(300, [(1.0, "e529")]), (1_500, [])], 3_600, 200, 1_200,
           second=[(600, [(1.0, "e500")]), (1_200, [])]),
    unseen("slow, nobody says how slow", [(300, [(0.5, "slow")]), (3_000, [])], 3_600, 300, 30),
    unseen("ill from the first second", [(0, [(1.0, "e503")]), (900, [])], 3_600, 150, 950, single=True),
    unseen("over in ten seconds", [(2, [(1.0, "e500")]), (5, [])], 10, 60, 40, single=True),
    unseen("a status that no table knows", [(300, [(1.0, "e599")]), (900, [])], 1_800, 120, 6),
    unseen("forbidden, alone", [(300, [(1.0, "e403")]), (1_200, [])], 3_600, 150, 1_000, single=True),
    unseen("no such model for a while, alone", [(300, [(1.0, "e404")]), (1_200, [])], 3_600, 100, 1_000, single=True),
    unseen("everything at once", [(300, [(0.2, "e500"), (0.2, "hang"), (0.2, "reset"), (0.1, "e429")]), (3_000, [])],
           3_600, 300, 10),
    unseen("answers that are none, alone", [(300, [(0.5, "bad")]), (1_500, [])], 3_600, 9_000, 200, single=True),
    unseen("conflicts, alone", [(300, [(0.5, "e409")]), (1_500, [])], 3_600, 8_000, 300, single=True),
]  # fmt: skip

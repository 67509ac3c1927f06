"""A script tells a simulated provider in one message how it falls ill and recovers, each share of the calls its way."""

from collections import Counter

import pytest

from holdfast.lab.providers.faults import FaultSchedule
from holdfast.lab.providers.settings import InjectedFault, Script, ScriptPart, ScriptPhase
from lab.providers.asking import asking, messages

GREY = ScriptPart(share=0.3, mode="e500", takes=(0.1, 0.2))
LATE = ScriptPart(share=0.45, takes=(31.0, 36.0))
SCRIPT = Script(phases=(ScriptPhase(at=10.0, parts=(GREY, LATE)), ScriptPhase(at=20.0)))


@pytest.mark.parametrize(
    ("seconds", "draw", "expected"),
    [
        (9.9, 0.0, None),
        (10.0, 0.29, GREY),
        (10.0, 0.3, LATE),
        (19.9, 0.749, LATE),
        (19.9, 0.75, None),  # what the parts leave open is answered as it should be
        (20.0, 0.0, None),
    ],
)
def test_each_call_falls_into_one_part_of_the_phase_of_its_time(seconds, draw, expected):
    assert SCRIPT.part(seconds, draw) == expected


def test_shares_of_calls_fare_as_the_script_says_each_with_its_own_time():
    faults = FaultSchedule(seed=1)
    faults.play(SCRIPT, now=100.0)
    strokes = [faults.decide("/v1/messages", "m", 115.0) for _ in range(4_000)]
    fates = Counter((stroke.fault.mode if stroke.fault else None, stroke.latency) for stroke in strokes)
    assert 1_000 < fates["e500", None] < 1_400
    assert 1_600 < fates[None, (31.0, 36.0)] < 2_000
    assert all(0.1 <= stroke.fault.delay <= 0.2 for stroke in strokes if stroke.fault)


def test_a_script_stands_before_other_faults_and_ends_with_them_when_healed():
    faults = FaultSchedule(seed=1)
    faults.add(InjectedFault(mode="e503"), now=0.0)
    faults.play(SCRIPT, now=0.0)
    assert faults.decide("/v1/messages", "m", 25.0).fault is None
    faults.heal()
    assert faults.decide("/v1/messages", "m", 15.0).fault is None


async def test_a_provider_plays_it_over_http():
    async with asking() as sim:
        whole = ScriptPart(share=1.0, mode="e401", takes=(0.0, 0.01))
        sim.sim.play(Script(phases=(ScriptPhase(at=0.0, parts=(whole,)),)))
        assert await sim.status(*messages()) == 401
        sim.sim.heal()
        assert await sim.status(*messages()) == 200

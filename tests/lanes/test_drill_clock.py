"""In a drill the scripts reckon the drill's time from the server's own: what processes tell comes late, in no order."""

import pytest

from holdfast.lanes.lua import source
from holdfast.testing import PRODUCTION, Clock
from holdfast.testing.clock import fast_clock
from lanes_twin import House, fetch, plan, route

ASK = source("clock") + "\nreturn exact(clock(ARGV[1]))"


@pytest.fixture
def drilled():
    with fast_clock(1_000.0) as clock:
        yield clock


def test_a_script_that_is_given_the_formula_has_the_drill_s_time(connection, drilled: Clock):
    clock = drilled
    redis = connection.sync()
    before = clock.now()
    told = float(redis.eval(ASK, 0, clock.formula()))
    assert before - 1_000.0 <= told <= clock.now() + 1_000.0  # a real second, should two hosts' clocks differ
    later = float(redis.eval(ASK, 0, clock.formula()))
    assert later >= told


def test_without_a_drill_it_has_the_server_s(connection):
    clock = PRODUCTION.clock
    assert clock.formula() == ""
    assert abs(float(connection.sync().eval(ASK, 0, "")) - clock.now()) < 60.0


async def test_a_permit_s_time_is_the_drill_s(connection, gates, drilled):
    house = House(connection, gates, plan=plan(route()))
    gate = gates(clock=drilled)
    await gate.begin(fresh=True)
    house.offer(1)
    [permit] = (await fetch(gate, "smart.batch", 1, "w1", house.plan)).permits
    [(_, until)] = house.redis.zrange(house.keys.slots(permit.route), 0, -1, withscores=True)
    assert abs(until - (drilled.now() + route().deadline + 5.0)) < 10_000.0

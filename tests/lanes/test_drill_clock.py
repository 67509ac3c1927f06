"""In a drill the scripts reckon the drill's time from the server's own: what processes tell comes late, in no order."""

import pytest

from holdfast.config import clock
from holdfast.lanes.lua import source
from lanes_twin import House, plan, route

ASK = source("clock") + "\nreturn exact(clock(ARGV[1]))"


@pytest.fixture
def drilled():
    with clock.running(1_000.0):
        yield


def test_a_script_that_is_given_the_formula_has_the_drill_s_time(connection, drilled):
    redis = connection.sync()
    before = clock.now()
    told = float(redis.eval(ASK, 0, clock.formula()))
    assert before - 1_000.0 <= told <= clock.now() + 1_000.0  # a real second, should two hosts' clocks differ
    later = float(redis.eval(ASK, 0, clock.formula()))
    assert later >= told


def test_without_a_drill_it_has_the_server_s(connection):
    assert clock.formula() == ""
    assert abs(float(connection.sync().eval(ASK, 0, "")) - clock.now()) < 60.0


async def test_a_permit_s_time_is_the_drill_s(connection, gates, drilled):
    house = House(connection, gates, plan=plan(route()))
    gate = gates()
    await gate.begin(fresh=True)
    house.offer(1)
    [permit] = (await gate.fetch("smart.batch", 1, "w1", house.plan)).permits
    [(_, until)] = house.redis.zrange(house.keys.slots(permit.route), 0, -1, withscores=True)
    assert abs(until - (clock.now() + route().deadline + 5.0)) < 10_000.0

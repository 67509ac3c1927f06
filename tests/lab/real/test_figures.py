"""The figures of a drill in real time follow from spans and turns; here they are made up, and counted by hand."""

import pytest

from holdfast.lab.drill.scenario import Phase, Scenario
from holdfast.lab.real.evidence import BreakerTransition, DrillEvidence
from holdfast.lab.real.figures import (
    Backlog,
    course,
    credential_is_dead,
    drain_ratio,
    figures,
    first_concurrency,
    heals,
    ill_spans,
    limit_breaches,
    most_at_once,
    overhead,
    well_spans,
)
from holdfast.model.job import State

ILL = {"mix": [{"share": 1.0, "mode": "e500"}]}
ROUTE = "route:first/model"


def scenario(**fields) -> Scenario:
    phases = [Phase(at=100, **ILL), Phase(at=200, mix=[{"share": 0.5, "mode": "e429"}]), Phase(at=300)]
    return Scenario(name="made-up", seconds=1_000, phases=phases, **fields)


def evidence(jobs: int = 0) -> DrillEvidence:
    found = DrillEvidence(jobs)
    found.calls["first"] = []
    return found


def add(found: DrillEvidence, created: float, begin: float, end: float) -> None:
    """A job that was called once, and succeeded."""
    found.created.append(created)
    found.first_runs.append((created, begin))
    found.runs.append((begin, end))
    found.finished.append(end)
    found.done.append(end)
    found.took.append(end - created)
    found.states[State.SUCCEEDED] += 1
    found.seconds = max(found.seconds, end)


def test_an_illness_of_two_phases_is_one_and_its_end_is_a_healing():
    assert ill_spans(scenario()) == [(100.0, 300.0)]
    assert well_spans(scenario())[:2] == [(0.0, 100.0), (300.0, 1_000.0)]
    assert [begin for begin, _ in heals(scenario())] == [300.0]


def test_an_illness_that_lasts_to_the_end_heals_with_it():
    to_the_end = Scenario(name="made-up", seconds=500, phases=[Phase(at=100, **ILL)])
    assert ill_spans(to_the_end) == [(100.0, 500.0)]
    assert [begin for begin, _ in heals(to_the_end)] == [500.0]


def test_who_waits_is_whoever_is_accepted_and_neither_runs_nor_has_ended():
    found = evidence()
    for created in (0.0, 1.0, 2.0):
        add(found, created, begin=created + 10, end=created + 20)
    waiting = Backlog(found)
    assert [waiting.at(at).waiting for at in (0.5, 2.5, 10.5, 12.5)] == [1, 3, 2, 0]
    assert (waiting.at(12.5).in_flight, waiting.at(25.0).done) == (3, 3)
    assert waiting.gone(5.0, 100.0, most=0) == 12.0
    assert waiting.gone(5.0, 11.5, most=0) is None


def test_a_drain_is_measured_from_the_healing_against_the_least_possible_time():
    found, one = evidence(), scenario(single_route=True)
    for number in range(300):  # arrive while nothing works, and are done at five a second from 310 on
        add(found, created=200.0 + number / 10, begin=310.0 + number / 5, end=311.0 + number / 5)
    # 64 slots of 2.5 s, but 20 a second are let in, and five a second arrive
    ideal = 300 / 15
    assert drain_ratio(one, found, slots=64, limit=20.0) == pytest.approx((310.0 + 299 / 5 - 300.0) / ideal)


def test_a_handful_of_jobs_is_no_backlog():
    found = evidence()
    for number in range(20):
        add(found, created=200.0, begin=400.0 + number, end=500.0)
    assert drain_ratio(scenario(), found, slots=64, limit=None) == 1.0


def test_probes_count_together_only_while_they_are_surely_out():
    assert most_at_once([(0.0, 5.0), (5.0, 9.0), (20.0, 21.0)]) == 1
    assert most_at_once([(0.0, 5.0), (4.0, 9.0)]) == 2
    assert most_at_once([(0.0, 3.0), (7.0, 6.0), (6.5, 8.0)]) == 1  # known only when its lease was over


def test_the_herd_is_counted_when_a_call_starts_soon_after_a_recovery():
    found = evidence()
    found.turns = [
        BreakerTransition(50.0, ROUTE, "closed", "open"),
        BreakerTransition(100.0, ROUTE, "half_open", "closed"),
    ]
    found.on_route["first/model"] = [(100.5, 103.0), (101.0, 104.0), (104.5, 106.0), *[(120.0, 130.0)] * 9]
    assert first_concurrency(found) == 2


def test_a_refusal_counts_against_us_only_while_the_provider_is_well():
    found = evidence()
    found.calls["first"] = [(50.0, 50.1, "429"), (250.0, 250.1, "429"), (350.0, 350.1, "429"), (351.0, 353.0, "200")]
    assert limit_breaches(scenario(), found) == 2


def test_a_credential_that_stays_shut_long_after_the_illness_is_dead():
    found = evidence()
    found.turns = [BreakerTransition(120.0, "credential:first/main", "closed", "open")]
    found.seconds = 1_000.0
    assert credential_is_dead(scenario(), found)
    found.turns.append(BreakerTransition(400.0, "credential:first/main", "half_open", "closed"))
    assert not credential_is_dead(scenario(), found)


def test_the_machine_s_part_is_what_jobs_waited_before_anything_was_wrong():
    found = evidence()
    for number in range(10):
        add(found, created=float(number), begin=number + 0.5, end=number + 3.0)
    add(found, created=150.0, begin=450.0, end=452.0)
    found.on_the_way.extend([0.1] * 99 + [3.0] * 2)
    machine = overhead(scenario(), found)
    assert (machine.p50_s, machine.p99_s, machine.sending_p99_s) == (0.5, 0.5, 3.0)


def test_a_trip_is_a_closed_breaker_that_opens_and_a_failed_probe_is_none():
    found = evidence(1)
    add(found, created=0.0, begin=1.0, end=3.0)
    found.calls["first"] = [(1.0, 3.0, "200")]
    found.turns = [
        BreakerTransition(10.0, ROUTE, "closed", "open"),
        BreakerTransition(12.0, ROUTE, "half_open", "open"),
        BreakerTransition(14.0, ROUTE, "half_open", "closed"),
    ]
    counted = figures(scenario(), found, slots=64, limit=None)
    assert (counted.breaker_trips, counted.lost, counted.calls_per_done, counted.equation_holds) == (1, 0, 1.0, True)
    found.broken["I2: one record"] += 1
    assert not figures(scenario(), found, slots=64, limit=None).equation_holds


def test_the_course_shows_where_jobs_were_and_how_calls_ended():
    found = evidence(2)
    add(found, created=0.0, begin=1.0, end=3.0)
    add(found, created=0.0, begin=2.0, end=400.0)
    found.calls["first"] = [(1.0, 3.0, "200"), (2.0, 400.0, "500")]
    found.turns = [BreakerTransition(10.0, "endpoint:first", "closed", "open")]
    went = course(found)
    assert (went.seconds, went.samples[-1].done, went.samples[0].waiting) == (400.0, 2, 2)
    assert went.moves[0].route == "endpoint first"
    assert sum(went.answers.values()) == 2

"""Every figure of a drill, on outages so small that the answer can be worked out by hand."""

from dataclasses import replace
from math import inf

import pytest

from holdfast.lab.drill.figures import DrillFigures, percentile, worst
from holdfast.lab.drill.result import DrillResult
from holdfast.lab.drill.thresholds import Threshold, hold
from holdfast.lab.simulation.job_table import JobTable
from holdfast.lab.simulation.metrics import Metrics
from holdfast.lab.simulation.policy_hooks import REAL
from holdfast.lab.simulation.pool import HOP
from holdfast.lab.simulation.provider import ProviderLimiter
from holdfast.lab.simulation.run import run_virtual
from holdfast.model.job import Need
from lab.simulation.scenes import scenario

DOWN = [(0, []), (100, [(1.0, "e500", 0.1)]), (1_100, [])]


def test_a_healthy_job_takes_its_call_and_two_hops():
    found = run_virtual(scenario([(0, [])], seconds=300, takes=2.0), 1).figures
    assert found.p50_s == found.p99_s == pytest.approx(2.0 + 2 * HOP)
    assert (found.failed_calls, found.breaker_trips, found.probes, found.limit_breaches) == (0, 0, 0, 0)
    assert found.calls_per_done == 1.0
    assert found.drain_ratio == 1.0
    assert found.accepted == found.succeeded > 0


def test_a_total_outage_costs_five_calls_and_then_its_probes():
    """Calls that fail at once, one job after the other: five in a row open the breaker, and then only probes go out."""
    found = run_virtual(scenario(DOWN, seconds=1_500, jobs_per_second=0.5, takes=0.2), 1).figures
    assert found.breaker_trips == 1
    assert found.failed_calls == 5 + found.probes - 1
    assert found.calls_per_done == round((found.accepted + found.failed_calls) / found.accepted, 4)
    assert found.probes_concurrent_max == 1


def test_the_jobs_of_an_outage_wait_and_are_worked_off_at_the_rate_that_is_spare():
    report = run_virtual(scenario(DOWN, seconds=3_000, single=True, takes=1.0), 1)
    waiting = {sample.at: sample.waiting for sample in report.course.samples}
    healed = min(at for at in waiting if at >= 1_100)
    drained = min(at for at in waiting if at > healed and waiting[at] == 0)
    assert waiting[healed] == pytest.approx(5_000, rel=0.05)
    ideal = waiting[healed] / (20.0 - 5.0)
    assert report.figures.drain_ratio == pytest.approx((drained - 1_100) / ideal, abs=2 * report.course.bar / ideal)
    assert report.costs["peak_backlog"] >= waiting[healed]


def test_the_same_outage_told_with_the_latency_of_health_has_the_same_end():
    """As outages are published: health is a mix of its own."""
    told = [(at, parts or [(1.0, "ok", (1.0, 1.0))]) for at, parts in DOWN]
    assert run_virtual(scenario(told, seconds=3_000, single=True, takes=1.0), 1).figures == replace(
        run_virtual(scenario(DOWN, seconds=3_000, single=True, takes=1.0), 1).figures
    )


def test_a_backlog_that_took_twice_as_long_as_it_had_to_has_ratio_two():
    ledger = JobTable(Need(1, 1), REAL)
    tally = Metrics(ledger, 1.0)
    jobs = [ledger.submit(0.0, 150.0) for _ in range(150)]
    tally.healed(100.0, inf, 5.0, 1.0)  # thirty seconds at best
    tally.look(110.0)
    assert tally.drain_ratio == 1.0
    for job in jobs:
        ledger.expire(job, 159.0)
    tally.look(160.0)
    assert tally.drain_ratio == 2.0


def test_a_backlog_that_never_drained_before_the_next_illness_counts_as_long_as_it_was_seen():
    ledger = JobTable(Need(1, 1), REAL)
    tally = Metrics(ledger, 1.0)
    for _ in range(150):
        ledger.submit(0.0, None)
    tally.healed(100.0, 190.0, 5.0, 1.0)
    tally.given_up(500.0)
    assert tally.drain_ratio == 3.0


def test_what_a_few_calls_would_work_off_is_no_backlog():
    ledger = JobTable(Need(1, 1), REAL)
    tally = Metrics(ledger, 1.0)
    for _ in range(49):
        ledger.submit(0.0, None)
    tally.healed(100.0, inf, 5.0, 1.0)
    tally.given_up(500.0)
    assert tally.drain_ratio == 1.0


def test_right_after_recovery_no_more_are_in_flight_than_the_ramp_begins_with():
    """Calls take longer than the five seconds that are looked at, so that none of them lets the ramp grow."""
    slow = scenario(DOWN, seconds=2_000, single=True, takes=8.0, bars={"first_5s_concurrency_max": 2})
    (bar,) = run_virtual(slow, 1).bars
    assert bar == Threshold("first_5s_concurrency_max", 2, 2)


def test_a_limiter_lets_in_its_burst_and_then_what_flows_in():
    limiter = ProviderLimiter(20.0)
    assert sum(limiter.lets_in(100.0) for _ in range(30)) == 20
    assert sum(limiter.lets_in(100.5) for _ in range(30)) == 10


@pytest.mark.parametrize("known", [True, False])
def test_only_a_limit_that_nobody_named_is_ever_run_into(known):
    busy = scenario([(0, [])], seconds=300, jobs_per_second=30, takes=0.5, single=True, limit_known=known)
    report = run_virtual(busy, 1)
    assert (report.figures.limit_breaches == 0) is known
    assert report.violations == {}


def test_calls_that_were_given_up_are_failed_calls_too():
    hung = run_virtual(scenario([(50, [(1.0, "hang")]), (400, [])], seconds=600), 1).figures
    assert 0 < hung.abandoned_calls == hung.failed_calls


def test_jobs_whose_deadline_passes_in_an_outage_expire_and_are_not_lost():
    script = [(100, [(1.0, "e500", 0.1)]), (600, [])]
    report = run_virtual(scenario(script, seconds=800, single=True, takes=0.5, expires_in=60), 1)
    found, missed = report.figures, report.costs["deadline_misses"]
    assert found.accepted == found.succeeded + missed
    assert missed == pytest.approx(5.0 * (500 - 60), rel=0.1)
    assert found.p99_s < 60
    assert (found.lost, found.dead, found.equation_holds) == (0, 0, True)
    assert report.violations == {}


def test_an_outage_that_outlasts_the_scenario_ends_with_it():
    found = run_virtual(scenario([(10, [(1.0, "e500", 0.1)])], seconds=60, single=True), 1).figures
    assert found.succeeded == found.accepted


def test_percentiles_are_the_smallest_value_that_is_no_smaller_than_their_share():
    assert percentile([], 0.99) == 0.0
    assert percentile([1.0], 0.99) == 1.0
    assert percentile([float(n) for n in range(1, 101)], 0.99) == 99.0


FIGURES = DrillFigures(10, 10, 0, 0, 3, 1, 1.3, 2.0, 4.0, 1, 2, 1, 1.1, 0, equation_holds=True)


def test_the_worst_of_several_seeds_is_the_worst_of_each_figure():
    other = replace(FIGURES, succeeded=9, dead=1, failed_calls=2, equation_holds=False)
    assert worst([FIGURES, other]) == replace(FIGURES, succeeded=9, dead=1, equation_holds=False)


def test_a_bar_is_a_ceiling_unless_its_name_says_otherwise():
    found = FIGURES.view() | {"violations": 0}
    bars = hold({"failed_calls_max": 3, "dead_max": 0, "succeeded_min": 11, "equation_holds": True}, found)
    assert [bar.holds for bar in bars] == [True, True, False, True]


def test_one_seed_answers_at_the_top_and_several_with_their_worst():
    played = scenario([(10, [(1.0, "e500", 0.1)]), (20, [])], seconds=60)
    one, two = (DrillResult([run_virtual(played, seed) for seed in seeds]).view() for seeds in ([1], [1, 2]))
    names = FIGURES.view().keys()
    assert one.keys() >= names
    assert one["worst"] == {name: one[name] for name in names}
    assert not names & two.keys()
    assert [run["seed"] for run in two["seeds"]] == [1, 2]
    assert two["worst"]["failed_calls"] == max(run["failed_calls"] for run in two["seeds"])

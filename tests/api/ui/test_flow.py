"""Rates come from counters that only grow, and the picture says in words what it shows."""

from types import SimpleNamespace

import pytest

from holdfast.api.ui.flow import KEPT, FlowHistory, FlowSample, sample_of
from holdfast.api.ui.flow_chart import flow_chart

NOW = 1_796_000_000.0


def history(*samples: FlowSample) -> FlowHistory:
    kept = FlowHistory()
    for sample in samples:
        kept.add(sample)
    return kept


def sample(after: float, done: int, **fields: object) -> FlowSample:
    return FlowSample(NOW + after, done, **fields)  # type: ignore[arg-type] # as the fields are


def test_a_rate_is_what_a_counter_grew_over_the_time_that_is_known() -> None:
    kept = history(sample(0, 0), sample(5, 50, waiting=10), sample(10, 150, waiting=0))
    assert kept.rate("done") == pytest.approx(15.0)
    assert kept.rate("done", 1.0) == pytest.approx(20.0)
    assert kept.rate("waiting") == 0.0


def test_one_sample_alone_tells_no_rate() -> None:
    assert history(sample(0, 7)).rate("done") == 0.0


def test_a_route_has_its_share_its_faults_and_the_mean_of_its_calls() -> None:
    kept = history(
        sample(0, 0, calls={"a": 10, "b": 0}, answered={"a": 10}, micros={"a": 0}),
        sample(
            30, 0, calls={"a": 40, "b": 10}, answered={"a": 30}, micros={"a": 60_000_000},
            faults={("a", "overloaded"): 7, ("a", "timed_out"): 3, ("b", "auth"): 1},
        ),
    )  # fmt: skip
    found = kept.route("a")
    assert (found.calls, found.share, found.seconds) == (30, 0.75, 2.0)
    assert found.faults == [("overloaded", 7), ("timed_out", 3)]
    assert (kept.route("c").share, kept.route("c").seconds) == (0.0, None)


def test_a_call_that_never_left_is_none() -> None:
    counted = {"calls": {("a", "succeeded"): 3, ("a", "failed"): 1, ("a", "abandoned"): 2}}
    now = SimpleNamespace(
        at=NOW, waiting=0, cost=0, routes=(), books=SimpleNamespace(accepted=4),
        counters=SimpleNamespace(of=lambda name: counted.get(name, {})),
    )  # fmt: skip
    taken = sample_of(now)  # type: ignore[arg-type] # what of an overview it reads
    assert (taken.calls["a"], taken.answered["a"]) == (4, 3)


def test_the_last_thing_that_a_route_said_is_remembered() -> None:
    kept = history(sample(0, 0), sample(1, 0, faults={("a", "overloaded"): 1}))
    assert kept.last_faults["a"] == ("overloaded", NOW + 1)
    kept.add(sample(2, 0, faults={("a", "overloaded"): 1}, answered={"a": 1}))
    assert kept.last_faults["a"] == ("", NOW + 2)


def test_what_ended_before_this_process_began_is_in_the_picture() -> None:
    kept = FlowHistory()
    kept.backfill(NOW, 100, {"smart.batch": [(2.0, 5), (12.0, 20)]})
    kept.add(sample(0.5, 100))
    spans = kept.spans()
    assert sum(span.done * (span.end - span.begin) for span in spans) == pytest.approx(25.0)
    assert kept.rate("done") == 0.0


def test_it_keeps_a_quarter_of_an_hour_and_no_more() -> None:
    kept = history(*(sample(5.0 * n, n) for n in range(3 * KEPT)))
    assert len(kept.spans()) == KEPT - 1


def test_the_picture_shades_an_outage_and_says_it_in_words() -> None:
    kept = history(sample(0, 0), sample(60, 60, down=frozenset({"a"}), waiting=9), sample(120, 60))
    drawn = flow_chart(kept.spans(), NOW + 120)
    assert drawn.count('class="outage"') == 1
    assert "A route was down for 1.0 of the last 15 minutes." in drawn
    assert 'class="outage"' not in flow_chart(history(sample(0, 0), sample(60, 60)).spans(), NOW + 60)
    assert 'class="outage"' in flow_chart(history(sample(0, 0), sample(60, 60)).spans(), NOW + 60, NOW - 30)

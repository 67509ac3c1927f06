"""Counters for Prometheus, as the fleet's transactions kept them in SQL: the same from every API process."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from holdfast.store import Counters

# Name of the metric, of the counter, what it tells, and its labels.
COUNTS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("holdfast_jobs", "jobs", "Endings of jobs; one that is replayed may end again.", ("model", "outcome")),
    ("holdfast_calls", "calls", "Calls that ended, by route.", ("route", "outcome")),
    ("holdfast_faults", "faults", "Calls that failed, by what it means.", ("route", "fault")),
    (
        "holdfast_reroutes",
        "reroutes",
        "Jobs called on another route than before, by what the call before came to.",
        ("from", "to", "fault"),
    ),
    ("holdfast_retries", "retries", "Jobs called again on the route that was called before.", ("route",)),
    ("holdfast_tokens", "tokens", "Tokens that providers counted.", ("route", "type")),
    ("holdfast_exceptions", "exceptions", "Attempts on which Holdfast itself broke.", ("route",)),
    ("holdfast_unknown_codes", "unknown_codes", "Answers whose code no table knows.", ("provider", "code")),
)
DURATIONS = (
    ("holdfast_job_seconds", "job_seconds", "From acceptance to the end, of jobs that a call ended."),
    ("holdfast_queue_wait_seconds", "queue_wait", "From acceptance to the first claim."),
)
MICROS = 1_000_000


def of_counters(counters: Counters) -> Iterator[Metric]:
    """Yield every counter and histogram. One that never counted anything has no samples."""
    for metric, name, words, labels in COUNTS:
        family = CounterMetricFamily(metric, words, labels=labels)
        for values, amount in sorted(counters.of(name).items()):
            family.add_metric(values, amount)
        yield family
    cost = CounterMetricFamily("holdfast_cost_usd", "What calls cost, at the configured prices.", labels=["route"])
    for values, amount in sorted(counters.of("cost").items()):
        cost.add_metric(values, amount / MICROS)
    yield cost
    seconds = CounterMetricFamily("holdfast_call_seconds", "How long calls took, all together.", labels=["route"])
    for values, amount in sorted(counters.of("call_micros").items()):
        seconds.add_metric(values, amount / MICROS)
    yield seconds
    for metric, name, words in DURATIONS:
        told = counters.histogram(name)
        histogram = HistogramMetricFamily(metric, words)
        histogram.add_metric([], buckets=list(told.buckets), sum_value=told.sum)
        yield histogram

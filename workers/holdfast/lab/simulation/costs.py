"""What an outage costs whoever runs the pool: jobs that wait, jobs that come too late, and money for the detour."""

from holdfast.lab.drill.scenario import Load
from holdfast.lab.simulation.metrics import Metrics
from holdfast.model.route import Plan

MICROS = 1e6  # micro-dollars in a dollar


def costs(plan: Plan, metrics: Metrics, load: Load, *, expired: int) -> dict[str, float]:
    """By name; money in USD, and only where every route of the plan that did a job, and the first, has a price.

    ``peak_backlog``: jobs that waited at once, at second ``peak_at``. ``deadline_misses``: jobs that expired.
    ``cost_usd``: of the answers that became results. ``extra_usd``: more than the first route alone would have cost;
    below zero where the detour is cheaper. ``unknown_usd``: of calls that were left or cut, if all were billed.
    """
    figures = {
        "peak_backlog": float(metrics.peak),
        "peak_at_s": round(metrics.peak_at, 1),
        "deadline_misses": float(expired),
    }
    each = {
        route.name: route.price.cost_micros(load.input_tokens, load.output_tokens) / MICROS if route.price else 0.0
        for route in plan.routes
    }
    first = each[plan.routes[0].name]
    if not all(each[name] for name in (plan.routes[0].name, *metrics.routes)):
        return figures
    cost = sum(jobs * each[name] for name, jobs in metrics.routes.items())
    unknown = sum(calls * each[name] for name, calls in metrics.unknown.items())
    return figures | {
        "cost_usd": round(cost, 4),
        "extra_usd": round(cost - first * sum(metrics.routes.values()), 4),
        "unknown_usd": round(unknown, 4),
    }

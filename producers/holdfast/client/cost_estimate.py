"""What jobs would cost on each route of their plans, before any of them is sent. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from holdfast.client.backend import View
from holdfast.client.errors import InvalidJobs, JobProblem
from holdfast.client.job_items import PlanOf, read_items
from holdfast.client.plain_line import MICROS
from holdfast.client.submit_request import Item, JobDefaults
from holdfast.model.job import Need
from holdfast.model.route import Plan, Route
from holdfast.policy.token_estimate import estimate

TOKENS = ("jobs", "input_tokens", "output_tokens_most")


def estimate_items(items: Sequence[Item], defaults: JobDefaults, plan_of: PlanOf) -> View:
    """Say what jobs would take and cost at most, each by itself and all of a model together, and submit nothing.

    Returns: ``jobs``: one for each item, same order, null where it cannot be a job; ``models``: as
    `CostEstimate.view`; ``problems``: what keeps items from being jobs.
    """
    total, jobs, problems = CostEstimate(), list[View | None](), list[View]()
    for index, item in enumerate(items):
        read = read_need(item, defaults, plan_of)
        if isinstance(read, JobProblem):
            problems.append(asdict(replace(read, index=index)))
            jobs.append(None)
        else:
            total.add(*read)
            jobs.append(_job(*read))
    return {"jobs": jobs, "models": list(total.view()), "problems": problems}


def _job(plan: Plan, need: Need) -> View:
    unpriced = next((route.name for route in plan.routes if route.known_price is None), None)
    return {
        "model": plan.model,
        "input_tokens": need.input_tokens,
        "output_tokens_most": need.output_tokens,
        "usd_most": most_usd(plan, need),
        "unpriced_route": unpriced,
    }


def joined_estimate(parts: Iterable[View]) -> View:
    """Join the estimates of one list of items that was asked for in parts, in order."""
    jobs, problems, models = list[View | None](), list[View](), dict[str, View]()
    for part in parts:
        problems += [problem | {"index": problem["index"] + len(jobs)} for problem in part["problems"]]
        jobs += part["jobs"]
        for each in part["models"]:
            known = models.get(each["model"])
            models[each["model"]] = _added(known, each) if known else each
    return {"jobs": jobs, "models": list(models.values()), "problems": problems}


def _added(one: View, other: View) -> View:
    routes = [
        route | {key: _sum(route[key], more[key]) for key in ("usd_least", "usd_most")}
        for route, more in zip(one["routes"], other["routes"], strict=True)
    ]
    return one | {name: one[name] + other[name] for name in TOKENS} | {"routes": routes}


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def read_need(item: Item, defaults: JobDefaults, plan_of: PlanOf) -> tuple[Plan, Need] | JobProblem:
    """Return the plan of one job and the tokens that it may take, or what keeps it from being one."""
    try:
        (line,) = read_items([item], defaults, plan_of)
    except InvalidJobs as refused:
        return refused.problems[0]
    return plan_of(line.model), estimate(line.request)


def most_usd(plan: Plan, need: Need) -> float | None:
    """Return the most that one call of a job costs on any route of its plan; None where a price is not known."""
    costs = [_usd(route, need.input_tokens, need.output_tokens) for route in plan.routes]
    return None if None in costs else max((cost for cost in costs if cost is not None), default=0.0)


def _usd(route: Route, input_tokens: int, output_tokens: int) -> float | None:
    price = route.known_price
    return None if price is None else price.cost_micros(input_tokens, output_tokens) / MICROS


@dataclass(slots=True)
class CostEstimate:
    """Jobs and their tokens by plan. Output tokens are the most that the requests allow."""

    plans: dict[str, Plan] = field(default_factory=dict)
    jobs: Counter[str] = field(default_factory=Counter)
    input_tokens: Counter[str] = field(default_factory=Counter)
    output_tokens: Counter[str] = field(default_factory=Counter)

    def add(self, plan: Plan, need: Need) -> None:
        """Count one job."""
        self.plans[plan.model] = plan
        self.jobs[plan.model] += 1
        self.input_tokens[plan.model] += need.input_tokens
        self.output_tokens[plan.model] += need.output_tokens

    def view(self) -> Sequence[dict[str, Any]]:
        """Say of each model what its jobs take, and what they cost if one route ran them all.

        ``usd_least``: with empty answers; ``usd_most``: each answer as long as it may be; null: no price is known.
        """
        return [
            {
                "model": model,
                "jobs": self.jobs[model],
                "input_tokens": self.input_tokens[model],
                "output_tokens_most": self.output_tokens[model],
                "routes": [self._route(route, model) for route in plan.routes],
            }
            for model, plan in self.plans.items()
        ]

    def _route(self, route: Route, model: str) -> dict[str, Any]:
        input_tokens = self.input_tokens[model]
        return {
            "route": route.name,
            "usd_least": _usd(route, input_tokens, 0),
            "usd_most": _usd(route, input_tokens, self.output_tokens[model]),
            "price_from": route.price_from,
        }

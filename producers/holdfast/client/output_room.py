"""Whether the limits of a plan's routes ever leave room for as long an answer as a job may get."""

from holdfast.model.errors import InvalidRequest
from holdfast.model.route import Api, Plan, Route


def demand_room(most: int, plan: Plan) -> None:
    """Refuse a maximum that no route of the plan can ever admit. Raises InvalidRequest: which limits are in the way."""
    if not has_room(most, plan):
        told = ", ".join(f"{route.name} {output_limit(route):,.0f}" for route in plan.routes)
        problem = f"{most:,} tokens are more than any route of {plan.model!r} may take in a minute ({told})."
        raise InvalidRequest("max_tokens", problem, "Ask for fewer, or raise the limits in the configuration.")


def has_room(most: int, plan: Plan) -> bool:
    """Tell whether a route of the plan may ever promise so many output tokens."""
    return any(limit is None or most <= limit for limit in map(output_limit, plan.routes))


def output_limit(route: Route) -> float | None:
    """Return how many output tokens a route may promise a minute; None: nobody said, or it counts them afterwards."""
    if route.api.wire is Api.ANTHROPIC:
        return None
    own, joint = route.limits.output_tokens_per_minute, route.limits.input_tokens_per_minute
    return joint if own is None else own

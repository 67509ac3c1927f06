"""What a job cost, as far as prices are known."""

from holdfast.client.plain_line import MICROS
from holdfast.config import Settings
from holdfast.model.errors import InvalidRequest
from holdfast.model.records import ResultRecord


def cost_of(result: ResultRecord, settings: Settings) -> float | None:
    """Return what a job cost in USD; None where nobody said what its route costs."""
    if result.cost_micros or result.route is None:
        return result.cost_micros / MICROS
    try:
        route = settings.plan(result.route).routes[0]
    except InvalidRequest:  # of an earlier configuration
        return 0.0
    return None if route.known_price is None else 0.0

"""What a job allows: which routes it may take at all, and whether a mapping may lose anything."""

from holdfast.model.errors import Unmappable
from holdfast.model.job import MappingReport
from holdfast.model.request import Request, Strictness
from holdfast.model.route import Api, Plan, Route


def demand_exact(request: Request, api: Api, report: MappingReport) -> None:
    """Raises Unmappable: the job is ``exact`` and the mapping lost something."""
    if request.strictness is Strictness.EXACT and report.notes:
        lost = "; ".join(f"{change.field} ({change.note})" for change in report.notes)
        raise Unmappable(api.value, f"its mapping must be exact, and this would change {lost}.")


def allowed(request: Request, plan: Plan) -> tuple[Route, ...]:
    """The routes of ``plan`` that the job may take: for ``never``, those that need no mapping."""
    if request.strictness is not Strictness.NEVER:
        return plan.routes
    own = tuple(route for route in plan.routes if route.api.wire == request.written_in)
    return own or plan.routes[:1]


def demand_allowed(request: Request, plan: Plan, route: Route) -> None:
    """Raises Unmappable: the job must not be mapped for ``route``."""
    if request.strictness is Strictness.NEVER and route not in allowed(request, plan):
        raise Unmappable(route.api.value, "its mapping is never, and this route is not its own.")

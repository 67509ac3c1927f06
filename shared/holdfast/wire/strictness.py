"""What a job allows: which routes it may take at all, and whether a mapping may lose anything."""

from holdfast.model.errors import Unmappable
from holdfast.model.job import MappingReport
from holdfast.model.request import Request, Strictness
from holdfast.model.route import Api, Plan, Route
from holdfast.model.written import WrittenRequest
from holdfast.wire.endpoints import EMBEDDINGS, takes
from holdfast.wire.written import endpoint_of, has_reading


def demand_exact(request: Request, api: Api, report: MappingReport) -> None:
    """Raises Unmappable: the job is ``exact`` and the mapping lost something."""
    if request.strictness is Strictness.EXACT and report.notes:
        lost = "; ".join(f"{change.field} ({change.note})" for change in report.notes)
        raise Unmappable(api.value, f"its mapping must be exact, and this would change {lost}.")


def allowed(request: Request, plan: Plan) -> tuple[Route, ...]:
    """The routes of ``plan`` that the job may take.

    For ``never``, those that need no mapping. For a request to an endpoint that has no neutral form, those of its own
    format that have the endpoint; embeddings keep to one model besides, unless its plan calls them interchangeable.
    """
    written = request.written
    if written is not None and not has_reading(written):
        return _same_endpoint(written, plan)
    if request.strictness is not Strictness.NEVER:
        return plan.routes
    own = tuple(route for route in plan.routes if route.api.wire == request.written_in)
    return own or plan.routes[:1]


def _same_endpoint(written: WrittenRequest, plan: Plan) -> tuple[Route, ...]:
    having = tuple(route for route in plan.routes if route.api.wire is written.api and takes(route, written.path))
    if endpoint_of(written) != EMBEDDINGS.path or plan.interchangeable:
        return having
    return tuple(route for route in having if route.model == having[0].model)


def demand_allowed(request: Request, plan: Plan, route: Route) -> None:
    """Raises Unmappable: the job must not take ``route``."""
    if route in allowed(request, plan):
        return
    if request.strictness is Strictness.NEVER:
        raise Unmappable(route.api.value, "its mapping is never, and this route is not its own.")
    raise Unmappable(route.api.value, "its endpoint has no form there, or another model behind it.")

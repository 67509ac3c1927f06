"""What a waiting job needs that no route of the configuration can give any more: it would wait for ever.

A submit refuses such a job. One that was accepted before the configuration changed is told so wherever somebody
asks why it waits.
"""

from collections.abc import Iterable, Iterator

from holdfast.client.output_room import demand_room, has_room
from holdfast.config import Settings
from holdfast.model.errors import InvalidRequest
from holdfast.model.ids import public_id
from holdfast.model.job import Offer, State
from holdfast.model.records import LaneCounts
from holdfast.model.route import Plan
from holdfast.store.backlog import find_offer, lane_heads
from holdfast.store.jobs import read_request_body
from holdfast.store.request_outline import is_surely_carried
from holdfast.store.transaction import Transaction

LOOK = 3  # jobs at the head of a lane that are looked at: what can never start stays there


def find_unmet_need(tx: Transaction, settings: Settings, job: str) -> str | None:
    """Say what a waiting job needs that no route can give, and what to do; None where one can, or it does not wait."""
    offer = find_offer(tx, job)
    return unmet_need(tx, settings, offer) if offer else None


def list_unmet_needs(tx: Transaction, settings: Settings, lanes: Iterable[LaneCounts]) -> list[str]:
    """Say the same of the jobs that stand at the heads of their lanes: of each lane the first that can never start."""
    return [told for lane in lanes if lane.counts.get(State.QUEUED) for told in _of_lane(tx, settings, lane.lane)]


def _of_lane(tx: Transaction, settings: Settings, lane: str) -> Iterator[str]:
    for offer in lane_heads(tx, lane, LOOK):
        if (need := unmet_need(tx, settings, offer)) is not None:
            yield f"job {public_id('job', offer.id)} of lane {lane} {need}"
            return


def unmet_need(tx: Transaction, settings: Settings, offer: Offer) -> str | None:
    """Say what a job that may start needs that no route can give, and what to do; None where one can."""
    model = offer.lane.rpartition(".")[0]
    try:
        plan = settings.plan(model)
    except InvalidRequest:
        return f"needs model {model!r}; no route of the configuration has it; {_what_to_do('`[models]`')}"
    return _not_carried(tx, offer, plan) or _refused_for_ever(offer, plan)


def _refused_for_ever(offer: Offer, plan: Plan) -> str | None:
    avoid = offer.need.avoid
    if not all(route.name in avoid and avoid[route.name] is None for route in plan.routes):
        return None
    names = ", ".join(route.name for route in plan.routes)
    said = f"no route of {plan.model!r} can take it any more ({names} refused it, or may not have it)"
    return f"needs another route; {said}; {_what_to_do('the plan')}"


def _not_carried(tx: Transaction, offer: Offer, plan: Plan) -> str | None:
    """Ask what a submit would say of it today."""
    body = read_request_body(tx, offer.id)
    if body is None:
        return None
    try:
        _demand_route(body, offer.need.output_tokens, plan)
    except InvalidRequest as error:
        problem = error.problem.rstrip(".")
        return (
            f"needs a route for its {error.where}; no route of {plan.model!r} can: {problem}; {_what_to_do('the plan')}"
        )
    return None


def _demand_route(body: bytes, most: int, plan: Plan) -> None:
    """Refuse a request that no route of its plan can carry. Raises InvalidRequest. ``most``: tokens of its answer.

    Nearly every one is carried for certain, which is known without reading it.
    """
    if has_room(most, plan) and is_surely_carried(body, {route.api.wire for route in plan.routes}):
        return
    from holdfast.client.job_items import demand_route  # noqa: PLC0415 - slow to import, and few jobs ask for it
    from holdfast.store.request_codec import decode_request  # noqa: PLC0415 - the same

    request = decode_request(body)
    demand_room(request.max_tokens or 0, plan)
    demand_route(request, plan)


def _what_to_do(about: str) -> str:
    return f"change {about} in the configuration, or cancel the job"

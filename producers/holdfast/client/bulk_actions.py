"""Bulk actions on dead letters: rows in SQL, worked off by a worker's actor, or here where no worker does."""

import time
from threading import Thread

from holdfast.client.bulk_order import BulkOrder
from holdfast.client.installation import Installation
from holdfast.client.outages import FleetSituation
from holdfast.model.errors import HoldfastError, InvalidRequest, NotFound, QueueUnavailable
from holdfast.model.ids import inner_id, public_id
from holdfast.model.records import ReplayEdit
from holdfast.model.route import Plan, Route
from holdfast.store import Store
from holdfast.store.dead_letters import Demand, read_demand
from holdfast.store.fleet import list_workers
from holdfast.store.operation_pages import work_off
from holdfast.store.operations import (
    OPERATION_ACTOR,
    BulkAction,
    Operation,
    OperationState,
    abort_operation,
    find_operation,
    open_operation,
    pause_operation,
    resume_operation,
)

PICK_UP = 1.0  # seconds in which a worker does the next page, or else we do
FIRST_LOOK, LAST_LOOK = 0.02, 0.5  # seconds between two looks at an operation, which grow
SLOWER = 1.5  # times as long until the next look
STILL = 4.0  # seconds without a page of one that waits for its pace: a worker that looks after it says so more often
CONTROLS = {"pause": pause_operation, "resume": resume_operation, "abort": abort_operation}
PER_MILLION = 1_000_000


def act_on_dead_letters(installation: Installation, order: BulkOrder, actor: str, wait: float | None) -> Operation:
    """Open an operation, see that somebody works it off, and answer how it stands once it ended or ``wait`` passed.

    It is a committed row: it is completed even if this process dies while it waits. ``wait`` None: until its end.
    """
    check_edit(installation, order.edit)
    store = installation.ready()
    limit, per_minute = order.limit, order.per_minute
    id_ = store.write(open_operation, BulkAction(order.action), order.where, limit, actor, per_minute, order.edit)
    return follow(installation, id_, wait)


def check_edit(installation: Installation, edit: ReplayEdit) -> None:
    """Refuse an edit that no job could run with. Raises InvalidRequest."""
    if edit.model is not None:
        installation.settings.plan(edit.model)
    if edit.max_tokens is not None and edit.max_tokens < 1:
        raise InvalidRequest("max_tokens", f"expected at least 1, got {edit.max_tokens}.")


def follow(installation: Installation, id_: str, wait: float | None) -> Operation:
    """Have an operation worked off by a worker, or on a thread of this process where none does; wait for its end."""
    helper = Thread(target=_see_to, args=(installation, id_), name="dead-letters", daemon=True)
    helper.start()
    helper.join(wait)
    return installation.ready().read(find_operation, id_)


def _see_to(installation: Installation, id_: str) -> None:
    """Whenever no worker did a page for ``PICK_UP`` seconds, do pages here, until the operation stands still."""
    store = installation.ready()
    try:
        patience = PICK_UP if _sent(installation, store, id_) else 0.0
        gap, moved_at, since = FIRST_LOOK, 0, time.monotonic()
        while (found := store.read(find_operation, id_)).state is OperationState.RUNNING:
            if found.moved_at != moved_at:
                moved_at, since = found.moved_at, time.monotonic()
            if time.monotonic() - since >= max(patience, STILL if moved_at > found.created_at else 0.0):
                work_off(store, id_)
            time.sleep(gap)  # also where another process does a page of it right now
            gap = min(gap * SLOWER, LAST_LOOK)
    except HoldfastError:
        return  # a worker goes on with it when the storage is back


def _sent(installation: Installation, store: Store, operation: str) -> bool:
    """Send a message about the operation to the workers. Returns False where there are none, or Redis is away."""
    if not store.read(list_workers):
        return False
    try:
        installation.redis.actors().send(OPERATION_ACTOR, operation)
    except QueueUnavailable:
        return False
    return True


def control(installation: Installation, id_: str, act: str, tenant: str | None, actor: str) -> Operation:
    """Pause, resume or abort an operation, or only show it. Raises NotFound, also where it is another tenant's."""
    store, inner = installation.ready(), inner_id("op", id_)
    found = store.read(find_operation, inner)
    if tenant is not None and found.where.tenant != tenant:
        raise NotFound("operation", public_id("op", inner))
    if act not in CONTROLS:
        return found
    found = store.write(CONTROLS[act], inner, actor)
    return follow(installation, inner, 0.0) if act == "resume" and not found.done else found


def plan_bulk(installation: Installation, situation: FleetSituation, order: BulkOrder) -> dict[str, object]:
    """Tell what an action would do: how many jobs, and of a replay over which routes and for how much at most.

    ``cost_usd`` is null where a route has no known price.
    """
    check_edit(installation, order.edit)
    demands = installation.ready().read(read_demand, order.where, order.limit)
    view: dict[str, object] = {"jobs": sum(demand.jobs for demand in demands)}
    if order.action != "replay":
        return view
    routes = [_routed(installation, situation, demand, order.edit) for demand in demands]
    costs = [cost for _, cost, _ in routes]
    known = [cost for cost in costs if cost is not None]
    told = [{"model": name, "route": route, "jobs": demand.jobs, "cost_usd": cost}
            for (route, cost, name), demand in zip(routes, demands, strict=True)]  # fmt: skip
    return view | {"cost_usd": sum(known) if len(known) == len(costs) else None, "routes": told}


def _routed(
    installation: Installation, situation: FleetSituation, demand: Demand, edit: ReplayEdit
) -> tuple[str | None, float | None, str]:
    """Name the route that would take jobs now, and what they would cost there at most."""
    model = edit.model or demand.model
    try:
        plan = installation.settings.plan(model)
    except InvalidRequest:  # of an earlier configuration
        return None, None, model
    route = _first_open(plan, situation)
    output = demand.output if edit.max_tokens is None else demand.jobs * edit.max_tokens
    price = route.known_price if route else None
    cost = (demand.input * price.input + output * price.output) / PER_MILLION if price else None
    return route.name if route else None, cost, model


def _first_open(plan: Plan, situation: FleetSituation) -> Route | None:
    free = (route for route in plan.routes if not situation.is_down(route))
    return next(free, plan.routes[0] if plan.routes else None)

"""What an operator says of a lane or a route against what the gate would do.

It is committed to SQL first, then sent to Redis; workers send it again after Redis lost its data.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from holdfast.client.backend import Force, View
from holdfast.client.installation import Installation
from holdfast.model.errors import InvalidRequest, NotFound, QueueUnavailable
from holdfast.model.job import Priority
from holdfast.store.backlog import list_lanes
from holdfast.store.learned_limits import forget_limits
from holdfast.store.overrides import OverrideKind, set_override

if TYPE_CHECKING:
    from holdfast.lanes import Lanes

LONGEST_NAME = 400  # characters of a lane or a route
LATER = "Redis does not answer; it hears of this as soon as a worker reaches it."


@dataclass(frozen=True, slots=True)
class OperatorOverrides:
    """Those of one installation. ``actor`` stands in the audit log beside each. All methods raise NotFound."""

    installation: Installation
    actor: str

    def pause(self, lane: str, *, paused: bool) -> View:
        """Stop starting jobs of a lane, or start again."""
        self._check_lane(lane)
        value = "paused" if paused else None
        warning = self._set("lane", lane, value, lambda lanes: lanes.set_paused(lane, paused))
        return {"name": lane, "paused": paused, "warning": warning}

    def force(self, route: str, want: Force) -> View:
        """Let no call take a route (open) or every call (closed)."""
        self._check_route(route)
        warning = self._set("route", route, want, lambda lanes: lanes.force(route, want))
        return {"name": route, "override": want, "warning": warning}

    def reset(self, route: str) -> View:
        """Lift what was forced, and forget what was learned of the route's limits."""
        self._check_route(route)
        warning = self._set("route", route, None, lambda lanes: lanes.reset(route))
        self.installation.ready().write(forget_limits, route.partition("/")[0])
        return {"name": route, "override": None, "warning": warning}

    def _set(self, kind: OverrideKind, name: str, value: str | None, send: "Callable[[Lanes], None]") -> str | None:
        """Commit an override to SQL, then send it to Redis. Returns a warning where Redis gets it later."""
        self.installation.ready().write(set_override, kind, name, value, self.actor)
        try:
            send(self.installation.redis.lanes())
        except QueueUnavailable:
            return LATER
        return None

    def _check_lane(self, lane: str) -> None:
        """Refuse a name that is no lane. Raises NotFound."""
        _refuse_unnameable("lane", lane)
        model, _, priority = lane.rpartition(".")
        if any(lane == known.lane for known in self.installation.ready().read(list_lanes)):
            return
        settings = self.installation.settings
        try:
            settings.plan(model)
            Priority(priority)
        except (InvalidRequest, ValueError):
            lanes = [f"{lane}.{each}" for each in Priority] if lane in settings.models else []
            every = [f"{each}.{priority}" for each in settings.models for priority in Priority]
            raise NotFound("lane", lane, meant(lanes or get_close_matches(lane, every, 2))) from None

    def _check_route(self, route: str) -> None:
        """Refuse a name that no plan has. Raises NotFound."""
        _refuse_unnameable("route", route)
        settings = self.installation.settings
        every = list(dict.fromkeys(each.name for plan in settings.models.values() for each in plan.routes))
        try:
            names = [each.name for each in settings.plan(route).routes]
        except InvalidRequest:
            of_provider = [name for name in every if name.partition("/")[0] == route]
            raise NotFound("route", route, meant(of_provider or get_close_matches(route, every, 2))) from None
        if route not in names:  # a model: its routes are other names
            raise NotFound("route", route, meant(names))


def meant(names: Sequence[str]) -> str:
    """Ask whether one of some names was meant; nothing where there is none."""
    return f"Did you mean {' or '.join(names)}?" if names else ""


def _refuse_unnameable(kind: str, name: str) -> None:
    """Refuse a name that nothing can have: ``provider/model`` may be anything else. Raises NotFound."""
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise NotFound(kind, repr(name[:80]))

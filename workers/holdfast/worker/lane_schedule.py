"""The lanes this process serves, interactive ones first, each with the time at which asking again makes sense."""

from collections.abc import Collection
from dataclasses import dataclass, field

import structlog

from holdfast.config import Settings
from holdfast.lanes import Reason
from holdfast.lanes.wake_listener import EVERY_LANE
from holdfast.model.errors import HoldfastError
from holdfast.model.job import Priority, lane_name
from holdfast.model.route import Plan
from holdfast.worker.provider_pool import ProviderPool

log = structlog.get_logger()


@dataclass(slots=True)
class ScheduledLane:
    """``ask_at`` is the loop's time before which the gate has nothing to give; ``why`` is its last reason.

    ``empties`` counts looks in a row that found no job, ``hints`` how often somebody said that there may be one.
    """

    name: str
    plan: Plan
    ask_at: float = 0.0
    why: str = ""
    empties: int = 0
    hints: int = 0

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for its jobs."""
        return self.name.endswith(Priority.INTERACTIVE)

    def wake(self) -> None:
        """Ask again at once."""
        self.ask_at, self.empties, self.hints = 0.0, 0, self.hints + 1


@dataclass(slots=True)
class LaneSchedule:
    """Every configured model has its lanes; a lane that jobs named directly joins when SQL tells of it."""

    settings: Settings
    providers: ProviderPool
    entries: dict[str, ScheduledLane] = field(default_factory=dict)
    unserved: dict[str, str] = field(default_factory=dict)

    def load(self) -> None:
        for model in self.settings.models:
            for priority in Priority:
                self.add(lane_name(model, priority))

    def add(self, lane: str) -> ScheduledLane | None:
        """Serve ``lane``; None when its model is unknown here or none of its credentials can be read."""
        if entry := self.entries.get(lane):
            return entry
        try:
            plan = self.providers.usable(self.settings.plan(lane.rpartition(".")[0]))
        except HoldfastError as error:
            self._leave(lane, str(error))
            return None
        if not plan.routes:
            self._leave(lane, "no route of its plan has a credential whose secret can be read")
            return None
        self.unserved.pop(lane, None)
        entry = self.entries[lane] = ScheduledLane(lane, plan)
        return entry

    def plan_again(self) -> None:
        """A credential that was missing is there: take it into the plans."""
        for entry in self.entries.values():
            entry.plan = self.providers.usable(self.settings.plan(entry.name.rpartition(".")[0]))
        for lane in list(self.unserved):
            self.add(lane)

    def _leave(self, lane: str, why: str) -> None:
        if self.unserved.get(lane) != why:
            log.warning("lane_not_served", lane=lane, why=why)
        self.unserved[lane] = why

    def in_order(self) -> list[ScheduledLane]:
        return sorted(self.entries.values(), key=lambda entry: not entry.is_awaited)

    def wake(self, lane: str) -> None:
        if entry := self.add(lane):
            entry.wake()

    def wake_held_up(self) -> bool:
        """Ask lanes again that wait for what calls hold: an ended one frees its slot, a probe opens the way. Any?"""
        held_up = [entry for entry in self.entries.values() if entry.why in {Reason.SLOTS, Reason.BREAKER}]
        for entry in held_up:
            entry.ask_at = 0.0
        return bool(held_up)

    def wake_hinted(self, lanes: Collection[str]) -> bool:
        """Ask those of ``lanes`` that are served again, or all that are: see ``WakeListener.wait``.

        Returns whether somebody waits for the jobs of one that was named.
        """
        for entry in self.entries.values():
            if EVERY_LANE in lanes or entry.name in lanes:
                entry.wake()
        return any(entry.is_awaited and entry.name in lanes for entry in self.entries.values())

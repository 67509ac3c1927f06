"""The clock and the crash points of one process, as one value that its parts are given."""

from collections.abc import Mapping
from dataclasses import dataclass

from holdfast.testing.clock import Clock
from holdfast.testing.crash_points import CrashPoints


@dataclass(frozen=True, slots=True)
class Runtime:
    """Made where a process is put together. The default is production's: the real clock, and no way to die."""

    clock: Clock
    crash_points: CrashPoints

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> "Runtime":
        """Read HOLDFAST_CLOCK, HOLDFAST_CRASH_AT and HOLDFAST_FREEZE_AT. Raises ValueError for what is none."""
        return cls(Clock.from_environment(env), CrashPoints.from_environment(env))

    def crash_point(self, name: str) -> None:
        """Die or stand still here if the environment says so. ``name`` is one of CRASH_POINTS."""
        self.crash_points.reach(name)


PRODUCTION = Runtime.from_environment({})

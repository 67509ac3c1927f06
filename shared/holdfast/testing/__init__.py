"""What tests and drills change about a process from outside: the clock that it goes by, and where it dies.

Both are values that a process makes once, from its environment, and hands to its parts.
"""

from holdfast.testing.clock import Clock
from holdfast.testing.crash_points import CRASH_POINTS, CrashPoints
from holdfast.testing.runtime import PRODUCTION, Runtime

__all__ = ["CRASH_POINTS", "PRODUCTION", "Clock", "CrashPoints", "Runtime"]

"""Simulated providers over real HTTP: wire formats, rate limits, faults on command, and a log of what they saw."""

from holdfast.sim.process import SimProcess
from holdfast.sim.server import SimProvider
from holdfast.sim.settings import Break, SimSettings

__all__ = ["Break", "SimProcess", "SimProvider", "SimSettings"]

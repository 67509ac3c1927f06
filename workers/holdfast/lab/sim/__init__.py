"""Simulated providers over real HTTP: wire formats, rate limits, faults on command, and a log of what they saw."""

from holdfast.lab.sim.process import SimProcess
from holdfast.lab.sim.server import SimProvider
from holdfast.lab.sim.settings import Break, SimSettings

__all__ = ["Break", "SimProcess", "SimProvider", "SimSettings"]

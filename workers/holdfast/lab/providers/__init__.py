"""Simulated providers over real HTTP: wire formats, rate limits, faults on command, and a log of what they saw."""

from holdfast.lab.providers.process import SimProcess
from holdfast.lab.providers.server import SimProvider
from holdfast.lab.providers.settings import InjectedFault, SimSettings

__all__ = ["InjectedFault", "SimProcess", "SimProvider", "SimSettings"]

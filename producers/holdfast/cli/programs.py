"""What the command line starts or takes in from parts beside it or above it, by the entry points of one group.

``worker`` and ``api`` are started, ``api_check`` and ``sim_config`` are asked before; ``demo``, ``drill`` and ``sim``
are commands of their own. Nothing in the command line imports these parts, so it works without them.
"""

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from holdfast.model.errors import HoldfastError

GROUP = "holdfast.programs"


class NotInstalled(HoldfastError):
    """A command needs a part of Holdfast that is not installed here."""

    code = "not_installed"
    exit_status = 69

    def __init__(self, program: str) -> None:
        super().__init__(program)
        self.program = program

    def __str__(self) -> str:
        return (
            f"{self.program} is not installed here: no entry point of the group {GROUP} has that name. "
            f"Install Holdfast anew, with all its parts: `pip install --force-reinstall holdfast`."
        )


def find(name: str) -> EntryPoint:
    """Return the entry point of a program without importing it. Raises NotInstalled."""
    found = entry_points(group=GROUP, name=name)
    if not found:
        raise NotInstalled(name)
    return next(iter(found))


def load(name: str) -> Any:
    """Import a program and return it: a function, or a group of commands. Raises NotInstalled."""
    return find(name).load()

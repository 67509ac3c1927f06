"""A group whose commands are imported when they are asked for: a command line pays for every import."""

from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from typer import Typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from holdfast.cli.command import Function, Noun

if TYPE_CHECKING:
    from typer._click import Command

ANY_ARGUMENTS = {"ignore_unknown_options": True, "allow_extra_args": True}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command is found: a function or a group. ``remote``: it can speak to a server."""

    module: str
    name: str
    remote: bool = True

    def load(self) -> Any:
        """Import it."""
        return getattr(import_module(self.module), self.name)


@dataclass(frozen=True, slots=True)
class ProgramPlace:
    """A command, or a group of them, that another part brings. Where it is missing, the command says so."""

    program: str
    remote: bool = False

    def load(self) -> Any:
        """Find and import it; return what raises NotInstalled where it is missing."""
        from holdfast.cli.programs import NotInstalled, load

        try:
            return load(self.program)
        except NotInstalled as missing:
            return raising(missing)


def raising(error: Exception) -> Function:
    """Return a command that does nothing but say why it is not there."""

    def absent() -> None:
        raise error

    absent.hidden = True  # type: ignore[attr-defined] # of lists of commands
    return absent


Places = Mapping[str, Place | ProgramPlace]


class LazyCommands(MutableMapping[str, "Command"]):
    """The commands of a group by name, in order; each is made when it is first asked for."""

    def __init__(self, places: Places) -> None:
        self._places = dict(places)
        self._made = cache(self._make)

    def __getitem__(self, name: str) -> "Command":
        if name not in self._places:
            raise KeyError(name)
        return self._made(name)

    def _make(self, name: str) -> "Command":
        place = self._places[name]
        loaded = place.load()
        if isinstance(loaded, Typer):
            group = get_group(loaded)
            group.name = name
            return group
        hidden = getattr(loaded, "hidden", False)
        alone = Noun("", add_completion=False)
        settings = {"hidden": True, "context_settings": ANY_ARGUMENTS} if hidden else {}
        alone.command(name, remote=place.remote, **settings)(loaded)
        return get_command(alone)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __setitem__(self, name: str, _: object) -> None:
        raise TypeError(f"{name}: the commands of this group stand in a table")

    __delitem__ = __setitem__  # type: ignore[assignment] # for the same reason


def lazy_group(places: Places) -> type[TyperGroup]:
    """Return the class of a group with these commands."""

    class LazyGroup(TyperGroup):
        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            self.commands = LazyCommands(places)

    return LazyGroup

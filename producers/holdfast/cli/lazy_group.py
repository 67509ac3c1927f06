"""A group whose commands are imported when they are asked for: a command line pays for every import."""

from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from typer import Typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

from holdfast.cli.command import Function, Noun

ANY_ARGUMENTS = {"ignore_unknown_options": True, "allow_extra_args": True}


@dataclass(frozen=True, slots=True)
class CommandSource:
    """Where a command is found: a function or a group. ``remote``: it can speak to a server."""

    module: str
    name: str
    remote: bool = True

    def load(self) -> Any:
        """Import it."""
        return getattr(import_module(self.module), self.name)


@dataclass(frozen=True, slots=True)
class ProgramSource:
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


CommandTable = Mapping[str, CommandSource | ProgramSource]


class LazyCommands(MutableMapping[str, Any]):
    """The commands of a group by name, in order; each is made when it is first asked for."""

    def __init__(self, table: CommandTable) -> None:
        self._table = dict(table)
        self._made = cache(self._make)

    def __getitem__(self, name: str) -> Any:
        if name not in self._table:
            raise KeyError(name)
        return self._made(name)

    def _make(self, name: str) -> Any:
        source = self._table[name]
        loaded = source.load()
        if isinstance(loaded, Typer):
            group = get_group(loaded)
            group.name = name
            return group
        hidden = getattr(loaded, "hidden", False)
        alone = Noun("", add_completion=False)
        settings = {"hidden": True, "context_settings": ANY_ARGUMENTS} if hidden else {}
        alone.command(name, remote=source.remote, **settings)(loaded)
        return get_command(alone)

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)

    def __setitem__(self, name: str, _: object) -> None:
        raise TypeError(f"{name}: the commands of this group stand in a table")

    __delitem__ = __setitem__  # type: ignore[assignment] # for the same reason


def lazy_group(table: CommandTable) -> type[TyperGroup]:
    """Return the class of a group with these commands."""

    class LazyGroup(TyperGroup):
        def __init__(self, **settings: Any) -> None:
            super().__init__(**settings)
            self.commands = LazyCommands(table)

    return LazyGroup

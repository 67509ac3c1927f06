"""Options before or beside every command, and what they open: the configuration, the storage, a server."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.client.backend import Backend
    from holdfast.client.installation import Installation
    from holdfast.config import Settings


@dataclass(frozen=True, slots=True)
class CommandContext:
    """``config`` and ``server`` are None where nothing was said; then the environment decides."""

    json: bool = False
    config: Path | None = None
    server: str | None = None


_context: ContextVar[CommandContext] = ContextVar("context", default=CommandContext())  # noqa: B039 - frozen
_endings: ContextVar[ExitStack] = ContextVar("endings")


def context() -> CommandContext:
    return _context.get()


def begin() -> None:
    """Forget the options of earlier commands of this process."""
    _context.set(CommandContext())


def add(*, json: bool, config: Path | None, server: str | None) -> None:
    """Add the options of one more level of the command line."""
    now = _context.get()
    _context.set(
        replace(now, json=now.json or json, config=config or now.config, server=server or now.server),
    )


@contextmanager
def ending() -> Iterator[None]:
    """Close what the command inside opens."""
    with ExitStack() as stack:
        token = _endings.set(stack)
        try:
            yield
        finally:
            _endings.reset(token)


def close_at_end(close: Callable[[], None]) -> None:
    """Have ``close`` called when the running command ends."""
    _endings.get().callback(close)


def backend(*, asks_pool: bool = True) -> "Backend":
    """Open what the command line and the environment name: a server, or the configured storage.

    Where `holdfast up` works on that storage in this folder, it is asked: its answer is there before the storage would
    be opened here. Not so without ``asks_pool``.
    """
    from holdfast.client.open_backend import open_for_operator

    opened = open_for_operator(context().config, context().server, asks_pool=asks_pool)
    hold_back_logs()
    close_at_end(opened.close)
    return opened


def installation() -> "Installation":
    """Open the configured storage, whatever the environment says of a server."""
    from holdfast.client.installation import Installation

    opened = Installation(settings())
    hold_back_logs()
    close_at_end(opened.close)
    return opened


def hold_back_logs() -> None:
    """Keep the log lines of libraries from among what a command prints; what a user needs to know it says itself."""
    import logging

    logging.basicConfig(handlers=[logging.NullHandler()])


def settings() -> "Settings":
    """Load the configuration. Raises ConfigError."""
    from holdfast.config import load

    return load(context().config)

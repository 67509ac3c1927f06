"""``holdfast``: the verbs and nouns put together."""

import gc
import os
import signal
from typing import Annotated

from typer import Exit, Option, echo

from holdfast.cli.command import Config, Json, Noun, Server
from holdfast.cli.context import add, begin
from holdfast.cli.errors import leaving
from holdfast.cli.lazy_group import CommandSource, CommandTable, ProgramSource, lazy_group

GARBAGE_EVERY = 50_000  # objects made: Python's own 700 look for garbage all through the imports, in vain
NO_PLUGINS = ("PYDANTIC_DISABLE_PLUGINS", "__all__")  # to look for them, pydantic reads every package's entry points


def own(name: str, *, remote: bool = True, within: str | None = None) -> CommandSource:
    """Return where to find one of our own commands: the function of its name, in the module of its name."""
    return CommandSource(f"holdfast.cli.{within or name}", name, remote)


def noun(name: str) -> CommandSource:
    """Return where to find one of our own groups of commands."""
    return CommandSource(f"holdfast.cli.{name}", "group")


COMMANDS: CommandTable = {
    "run": own("run"),
    "ask": own("ask"),
    "submit": own("submit"),
    "init": own("init", remote=False),
    "up": own("up", remote=False),
    "down": own("down", remote=False, within="up"),
    "api": own("api", remote=False),
    "worker": own("worker", remote=False),
    "demo": ProgramSource("demo"),
    "status": own("status"),
    "top": own("top"),
    "events": own("events"),
    "ledger": own("ledger"),
    "alert": own("alert", remote=False),
    "audit": own("audit"),
    "diagnose": own("diagnose"),
    **{name: noun(name) for name in ("job", "batch", "lane", "route", "dlq", "webhook", "key", "config", "db")},
    "drill": ProgramSource("drill"),
    "sim": ProgramSource("sim"),
}
app = Noun(
    "Inference jobs that survive their providers: an outage becomes a backlog and a detour, never an error.",
    add_completion=True,
    cls=lazy_group(COMMANDS),
)


def show_version(wanted: bool) -> None:  # noqa: FBT001 - an option's callback
    if wanted:
        from importlib.metadata import version

        echo(f"holdfast {version('holdfast')}")
        raise Exit


@app.callback()
def root(
    *,
    json: Json = False,
    config: Config = None,
    server: Server = None,
    version: Annotated[  # noqa: ARG001 - its callback does the work
        bool, Option("--version", callback=show_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    begin()
    add(json=json, config=config, server=server)


def run() -> None:
    """Run the command line and leave with its exit status.

    SIGTERM ends a command as Ctrl-C does, and Ctrl-C counts even where a shell had it ignored: what is under way is
    brought to a safe end, and the command says how to go on.
    """
    gc.set_threshold(GARBAGE_EVERY)
    os.environ.setdefault(*NO_PLUGINS)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with leaving():
        app(prog_name="holdfast")

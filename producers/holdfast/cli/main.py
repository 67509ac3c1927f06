"""``holdfast``: the verbs and nouns put together."""

import gc
import signal
from typing import Annotated

from typer import Exit, Option, Typer, echo

from holdfast.cli import batch, config, db, dlq, job, key, lane, route
from holdfast.cli.api import api
from holdfast.cli.ask import ask
from holdfast.cli.command import Config, Function, Json, Noun, Server
from holdfast.cli.context import add, begin
from holdfast.cli.init import init
from holdfast.cli.ledger import ledger
from holdfast.cli.programs import NotInstalled, load
from holdfast.cli.run import run as run_lines
from holdfast.cli.status import status
from holdfast.cli.submit import submit
from holdfast.cli.up import down, up
from holdfast.cli.worker import worker

GARBAGE_EVERY = 50_000  # objects made: Python's own 700 look for garbage all through the imports, in vain
ANY_ARGUMENTS = {"ignore_unknown_options": True, "allow_extra_args": True}
app = Noun(
    "Inference jobs that survive their providers: an outage becomes a backlog and a detour, never an error.",
    add_completion=True,
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


def raising(error: NotInstalled) -> Function:
    """Return a command that does nothing but say why it is not there."""

    def absent() -> None:
        raise error

    return absent


def add_program(name: str) -> None:
    """Add a command, or a group of them, that another part brings. Where it is missing, the command says so."""
    try:
        program = load(name)
    except NotInstalled as missing:
        app.command(name, remote=False, hidden=True, context_settings=ANY_ARGUMENTS)(raising(missing))
        return
    if isinstance(program, Typer):
        app.add_typer(program, name=name)
    else:
        app.command(name, remote=False)(program)


app.command()(run_lines)
app.command()(ask)
app.command()(submit)
app.command(remote=False)(init)
app.command(remote=False)(up)
app.command(remote=False)(down)
app.command(remote=False)(api)
app.command(remote=False)(worker)
add_program("demo")
app.command()(status)
app.command()(ledger)
app.add_typer(job.group, name="job")
app.add_typer(batch.group, name="batch")
app.add_typer(lane.group, name="lane")
app.add_typer(route.group, name="route")
app.add_typer(dlq.group, name="dlq")
app.add_typer(key.group, name="key")
app.add_typer(config.group, name="config")
app.add_typer(db.group, name="db")
add_program("drill")
add_program("sim")


def run() -> None:
    """Run the command line and leave with its exit status.

    SIGTERM ends a command as Ctrl-C does, and Ctrl-C counts even where a shell had it ignored: what is under way is
    brought to a safe end, and the command says how to go on.
    """
    gc.set_threshold(GARBAGE_EVERY)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    app(prog_name="holdfast")

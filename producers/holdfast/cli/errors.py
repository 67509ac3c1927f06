"""How a command ends when it cannot do what it was asked: one readable paragraph on stderr, and an exit status."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from typer import Exit

from holdfast.cli.context import context
from holdfast.cli.show import as_json, say
from holdfast.model.errors import HoldfastError

SOME_FAILED = 3
INTERRUPTED = 128 + signal.SIGINT
TITLE = "urn:holdfast:problem:"


class Interrupted(HoldfastError):
    """The user pressed Ctrl-C. ``then`` says how to go on."""

    code = "interrupted"
    exit_status = INTERRUPTED

    def __init__(self, then: str) -> None:
        super().__init__(then)
        self.then = then

    def __str__(self) -> str:
        return self.then


@contextmanager
def reported_errors() -> Iterator[None]:
    """Turn our own errors and Ctrl-C into messages and exit statuses. Any other error is a bug, and shows itself."""
    try:
        yield
    except HoldfastError as error:
        report(error)
        raise Exit(error.exit_status) from None
    except KeyboardInterrupt:
        say("interrupted")
        raise Exit(INTERRUPTED) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # whoever read it has gone
        raise Exit(1) from None


def report(error: HoldfastError) -> None:
    """Say what went wrong: a sentence, or with ``--json`` a problem document, on stderr."""
    if context().json:
        sys.stderr.write(as_json(problem(error)))
    else:
        say(f"holdfast: {error}")


def problem(error: HoldfastError) -> dict[str, object]:
    """Write an error as RFC 9457 has it, with ``code`` and the exit status; the same code stands in docs/errors.md."""
    more = {"problems": list(error.args[0])} if error.code == "configuration" else {}
    return {
        "type": f"{TITLE}{error.code}",
        "title": error.code.replace("_", " "),
        "detail": str(error),
        "code": error.code,
        "exit_status": error.exit_status,
        **more,
    }

"""How a command ends when it cannot do what it was asked: one readable paragraph on stderr, and an exit status."""

import errno
import os
import signal
import sys
from collections.abc import Iterator, Mapping
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


NEXT: Mapping[int, str] = {  # what to do where the system refuses a file, by the number of its error
    errno.EACCES: "Work in another folder, or as a user who may.",
    errno.EPERM: "Work in another folder, or as a user who may.",
    errno.EROFS: "Work in a folder that can be written.",
    errno.ENOSPC: "Make room, and run the same command again.",
    errno.EDQUOT: "Make room, and run the same command again.",
    errno.EMFILE: "Allow more open files: ulimit -n 4096",
    errno.ENFILE: "End other programs: the whole machine has too many open files.",
    **dict.fromkeys((errno.ENOTDIR, errno.EEXIST, errno.EISDIR), "Move what stands there, or name another place."),
    **dict.fromkeys((errno.ENAMETOOLONG, errno.ELOOP, errno.ENOENT, errno.ENXIO), "Name another file."),
}
STDOUT = "standard output"


class FileRefused(HoldfastError):
    """The operating system refuses a file or a folder that a command needs."""

    code = "file_refused"

    def __init__(self, name: str, error: OSError) -> None:
        super().__init__(name, error)
        self.name, self.error = name, error

    def __str__(self) -> str:
        return f"{self.name}: {self.error.strerror}. {NEXT[self.error.errno or 0]}"


@contextmanager
def reported_errors() -> Iterator[None]:
    """Turn our own errors, the system's about files, and Ctrl-C into messages and exit statuses.

    Any other error is a bug, and shows itself.
    """
    try:
        yield
        sys.stdout.flush()  # while what keeps it from being written can still be told
    except HoldfastError as error:
        report(error)
        raise Exit(error.exit_status) from None
    except KeyboardInterrupt:
        say("interrupted")
        raise Exit(INTERRUPTED) from None
    except BrokenPipeError:
        forget_output()  # whoever read it has gone
        raise Exit(1) from None
    except OSError as error:
        if error.errno not in NEXT:
            raise
        if error.filename is None:
            forget_output()
        report(FileRefused(STDOUT if error.filename is None else os.fsdecode(error.filename), error))
        raise Exit(1) from None


@contextmanager
def leaving() -> Iterator[None]:
    """Report what keeps the parser's own texts from being written, such as help, and leave with its exit status."""
    try:
        with reported_errors():
            yield
    except Exit as left:
        sys.exit(left.exit_code)


def forget_output() -> None:
    """Let what standard output still holds go nowhere, so that nothing fails once more as the process ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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

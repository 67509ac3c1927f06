"""Secrets by reference: the configuration says where a key is, never what it is.

    env:NAME        an environment variable
    file:PATH       the content of a file
    command:WORDS   what a command prints (no shell), within ten seconds
    none            no key: for servers that want none

A reference is read again on every call, so a rotated key is picked up without a restart.
"""

import os
import re
import shlex
import subprocess
from pathlib import Path

from holdfast.model.errors import HoldfastError
from holdfast.model.sentences import end_sentence

NONE = "none"
COMMAND_SECONDS = 10.0
LARGEST = 64 * 1024  # bytes of a file that may be a secret
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")  # a name that a shell can set; never a pasted key with dashes
QUOTES = "\"'`\u201c\u201d\u2018\u2019"
ASSIGNED = re.compile(r"(export )?[A-Z][A-Z0-9_]*_(KEY|TOKEN|SECRET)=")
FORMS = "env:NAME, file:PATH, command:WORDS or none"


class SecretUnavailable(HoldfastError):
    """A reference leads to no secret."""

    code = "secret_unavailable"
    exit_status = 78
    http_status = 503

    def __init__(self, reference: str, why: str) -> None:
        super().__init__(reference, why)
        self.reference, self.why = reference, why

    def __str__(self) -> str:
        return f"no secret at {self.reference}: {end_sentence(self.why)}."


def is_reference(text: str) -> bool:
    """Tell whether ``text`` has the form of a reference; it may still lead to nothing.

    >>> [is_reference(text) for text in ("env:ANTHROPIC_API_KEY", "none", "sk-ant-123", "env:", "env:sk-ant-123")]
    [True, True, False, False, False]
    """
    kind, _, rest = text.partition(":")
    if kind == "env":
        return bool(VARIABLE.fullmatch(rest))
    return text == NONE or (kind in {"file", "command"} and bool(rest.strip()))


def read_secret(reference: str) -> str:
    """Fetch what ``reference`` leads to, without surrounding blanks. "" for ``none``.

    Raises: SecretUnavailable: it names the reference, never a value.
    """
    kind, _, rest = reference.partition(":")
    match kind:
        case "none":
            return ""
        case "env":
            value = _from_environment(reference, rest)
        case "file":
            value = _from_file(reference, rest)
        case "command":
            value = _from_command(reference, rest)
        case _:
            # A text that is no reference may be the key itself: it is not repeated.
            raise SecretUnavailable("(not shown)", f"it is not of the form {FORMS}")
    secret = value.strip()
    if why := "it is empty" if not secret else flaw(secret):
        raise SecretUnavailable(reference, why)
    return secret


def flaw(secret: str) -> str | None:
    """Say what makes a text no key, for whoever pasted it; None where it may be one.

    A line break would also break the header in which it goes out. JSON, as credential processes print it, and PEM have
    lines of their own.

    >>> [flaw(text) for text in ("sk-1", '"sk-1"', "Bearer sk-1")]
    [None, 'it stands in quotes, which are not part of a key', 'it begins with the word Bearer, which is put before it']
    """
    if secret.startswith(("{", "-----BEGIN")):
        return None
    if secret[0] in QUOTES or secret[-1] in QUOTES:
        return "it stands in quotes, which are not part of a key"
    if not secret.isprintable():
        return "it has a line break or another control character inside, which no key has"
    if secret.lower().startswith("bearer "):
        return "it begins with the word Bearer, which is put before it"
    if named := ASSIGNED.match(secret):
        return f"it begins with {named[0]}, which is the name of a variable"
    return None


def _from_environment(reference: str, name: str) -> str:
    if name not in os.environ:
        raise SecretUnavailable(reference, f"the environment variable {name} is not set")
    return os.environ[name]


def _from_file(reference: str, path: str) -> str:
    try:
        with Path(path).expanduser().open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise SecretUnavailable(reference, f"the file has more than {LARGEST} bytes")
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise SecretUnavailable(reference, "the file is not UTF-8 text") from None
    except OSError as error:
        raise SecretUnavailable(reference, error.strerror or type(error).__name__) from error


def _from_command(reference: str, words: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603  # the operator's own command, from the operator's own file; no shell
            shlex.split(words), stdin=subprocess.DEVNULL, capture_output=True, timeout=COMMAND_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise SecretUnavailable(reference, f"the command took more than {COMMAND_SECONDS:g} seconds") from None
    except (OSError, ValueError) as error:
        raise SecretUnavailable(reference, f"the command could not be run ({type(error).__name__})") from error
    if done.returncode != 0:
        raise SecretUnavailable(reference, f"the command ended with status {done.returncode}")
    return done.stdout.decode("utf-8", errors="replace")

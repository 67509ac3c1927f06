"""Who acts at this machine's command line, for the audit log."""

import os

PREFIX = "cli:"


def operator_name() -> str:
    """Name the user of this process; a container's user may have a number and no name."""
    import getpass  # noqa: PLC0415 - slow to import, and not everybody acts

    try:
        return f"{PREFIX}{getpass.getuser()}"
    except (KeyError, OSError):
        return f"{PREFIX}{os.getuid()}"


def types_commands(name: str) -> bool:
    """Tell whether an actor acts by commands, so that these are what to name to it.

    >>> types_commands("cli:eva"), types_commands("key:0123456789abcdef")
    (True, False)
    """
    return name.startswith(PREFIX)

"""A network of its own for a command with fixed ports, so that it meets nobody else's; where the machine allows it."""

import os
import subprocess
from functools import cache

OWN = ("unshare", *(() if os.geteuid() == 0 else ("--map-root-user",)), "--net")
WITH_LOOPBACK = (*OWN, "sh", "-c", 'ip link set lo up && exec "$@"', "sh")


@cache
def own_network() -> tuple[str, ...]:
    """Return what goes before a command that is to have a loopback of its own; nothing where that cannot be had."""
    try:
        tried = subprocess.run([*WITH_LOOPBACK, "true"], capture_output=True, timeout=60, check=False)
    except OSError:
        return ()
    return WITH_LOOPBACK if tried.returncode == 0 else ()

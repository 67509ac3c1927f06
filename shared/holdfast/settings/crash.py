"""Named places at which a process can be made to die, so that tests can hit every step between two writes.

``HOLDFAST_CRASH_AT=after_claim`` kills the process with SIGKILL the first time it comes to ``after_claim``;
``after_claim:3`` the third time. Without the variable the points do nothing.
"""

import os
import signal

_name, _, _count = os.environ.get("HOLDFAST_CRASH_AT", "").partition(":")
_left = int(_count) if _count.isdigit() and int(_count) > 0 else 1


def crash_point(name: str) -> None:
    """Die here if the environment says so. Names are lower case with underscores, such as ``attempt_written``."""
    if name == _name:
        _come_closer()


def _come_closer() -> None:
    global _left  # noqa: PLW0603  # the count belongs to the process, as the variable does
    _left -= 1
    if _left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

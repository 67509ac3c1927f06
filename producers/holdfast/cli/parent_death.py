"""``python -m holdfast.cli.parent_death MODULE …``: run a module that ends when its parent does.

Workers are started through this: should the supervisor be killed, nobody would stop them, and they would go on spending
money. The kernel sends SIGTERM then (Linux; elsewhere an orphan has to be stopped by hand).
"""

import ctypes
import os
import runpy
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Ask the kernel for a SIGTERM when the process that started us ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() == 1:  # it ended before we asked
        sys.exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    die_with_parent()
    sys.argv.pop(0)
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)

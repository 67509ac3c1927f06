"""An alert handed to a command of the operator's: JSON on its standard input, no shell, bounded in time."""

import subprocess
from collections.abc import Sequence

from holdfast.policy.webhook_retry import ReceiverAnswer

SECONDS = 15.0
DONE = 200


def run_command(command: Sequence[str], body: str) -> ReceiverAnswer:
    """Run ``command``; what it prints is not read. Status 0 is a success, and anything else is tried again later."""
    try:
        done = subprocess.run(  # noqa: S603 - it stands in the operator's configuration
            command,
            input=body.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        return ReceiverAnswer(error=f"the command did not end within {SECONDS:g} s")
    except OSError as error:
        return ReceiverAnswer(error=f"the command cannot be run ({error.strerror})")
    if done.returncode != 0:
        return ReceiverAnswer(error=f"the command ended with status {done.returncode}")
    return ReceiverAnswer(DONE)

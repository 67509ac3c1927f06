"""A worker in standby does nothing until it is told to, and ends where nobody needs it."""

import subprocess
import sys
from pathlib import Path

from producing import configured


def test_a_worker_in_standby_that_nobody_needs_leaves_no_trace(tmp_path: Path) -> None:
    settings = configured(tmp_path)
    command = [sys.executable, "-m", "holdfast.worker", "--config", str(settings.source), "--standby"]
    done = subprocess.run(command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert [each.name for each in tmp_path.iterdir()] == ["holdfast.toml"]

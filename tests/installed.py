"""Holdfast as its users have it: the wheel of this checkout in a virtual environment of its own.

What the wheel depends on is taken from the environment that runs the tests, which has the pinned versions: nothing is
downloaded. The checkout itself is not on the path there.
"""

import subprocess
import sys
from pathlib import Path

import pydantic

ROOT = Path(__file__).parents[1]
DEPENDENCIES = Path(pydantic.__file__).parents[1]
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input")


def install_wheel(folder: Path) -> Path:
    """Build the wheel, install it into a new environment below ``folder``, and return the folder of its commands."""
    wheels, home = folder / "wheels", folder / "venv"
    run(*PIP, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(wheels), str(ROOT))
    python = environment(home)
    (wheel,) = wheels.glob("*.whl")
    run(
        *PIP, "--python", str(python), "install", "--quiet", "--no-deps", "--no-index", "--ignore-installed", str(wheel)
    )
    return home / "bin"


def environment(home: Path) -> Path:
    """Make a virtual environment that has what Holdfast depends on, and return its Python."""
    run(sys.executable, "-m", "venv", "--without-pip", str(home))
    (site,) = (home / "lib").glob("python*/site-packages")
    (site / "dependencies.pth").write_text(f"{DEPENDENCIES}\n")
    return home / "bin" / "python"


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

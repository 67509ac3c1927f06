"""Environments of their own for what Holdfast is compared with: the pinned versions of NAME.txt, in .peers/NAME.

`python bench/peers/environments.py [NAME ...]` makes them; a measurement makes what it finds missing. What cannot be
installed here is said to be so, and is not compared.
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
CACHE = HERE.parent.parent / ".peers"
NAMES = tuple(sorted(path.stem for path in HERE.glob("*.txt")))
INSTALLING = 600.0  # seconds


def python(name: str) -> Path | None:
    """The Python of an environment, which is made where it is missing or of other versions; None if it cannot be."""
    home, pinned = CACHE / name, HERE / f"{name}.txt"
    done = home / "installed.txt"
    if not done.exists() or done.read_text() != pinned.read_text():
        sys.stderr.write(f"  installing {name}\n")
        if not _install(home, pinned):
            return None
        done.write_text(pinned.read_text())
    return home / "bin" / "python"


def version(name: str) -> str:
    """The pinned version of a package, whose requirements bear its name or its short one."""
    lines = (HERE / f"{name}.txt").read_text().splitlines()
    versions = dict(line.partition(" ")[0].split("==") for line in lines if "==" in line)
    package = next(each for each in versions if each.split("[")[0] in {name, f"bespokelabs-{name}"})
    return f"{package.split('[')[0]} {versions[package]}"


def _install(home: Path, pinned: Path) -> bool:
    install = [home / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "-qq"]
    for command in ([sys.executable, "-m", "venv", "--clear", home], [*install, "-r", pinned]):
        try:
            done = subprocess.run(command, stdout=sys.stderr, timeout=INSTALLING, check=False)
        except subprocess.TimeoutExpired:
            return False
        if done.returncode:
            return False
    return True


def main() -> int:
    missing = [name for name in sys.argv[1:] or NAMES if python(name) is None]
    sys.stderr.write(f"not to be had here: {', '.join(missing)}\n" if missing else "all are there\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())

"""Make .venv ready: the pinned, hashed packages of one requirements file, and the project itself, editable.

Run by ``requirements/install`` with any Python from 3.11, on a machine that has nothing else. A second run takes no
time. Whatever an interrupted run left behind is noticed and made anew.
"""

import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "holdfast-installed.json"  # what is installed, by requirements file
UNFINISHED = VENV / "holdfast-unfinished"  # there while packages are being installed
LOG = VENV / "holdfast-install.log"
CONTAINS = {"run": ("run", "dev"), "dev": ("dev",)}  # which installs serve a want
SHOWN = 12  # lines of pip's last words
PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input")


def main(want: str) -> int:
    with Path(__file__).open(encoding="utf-8") as lock:  # two makes at once take turns
        fcntl.flock(lock, fcntl.LOCK_EX)
        if installed() & {(name, fingerprint(name)) for name in CONTAINS[want]} and not ill():
            return 0
        return install(want)


def install(want: str) -> int:
    reason = ill() or ("an earlier installation did not finish" if UNFINISHED.exists() else "")
    if reason and (VENV.exists() or VENV.is_symlink()):
        say(f"making .venv anew: {reason}")
        discard()
    if not VENV.exists() and not make():
        return 1
    UNFINISHED.touch()
    STAMP.unlink(missing_ok=True)
    say(f"installing the packages of requirements/{want}.txt into .venv (the first time takes a minute or two)")
    pinned = ("install", "--quiet", "--require-hashes", "--requirement", str(ROOT / "requirements" / f"{want}.txt"))
    ours = ("install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    if not (pip(*pinned) and pip(*ours)):
        return 1
    STAMP.write_text(json.dumps({want: fingerprint(want)}), encoding="utf-8")
    UNFINISHED.unlink()
    return 0


def installed() -> set[tuple[str, str]]:
    """What the stamp tells; nothing where there is none, or garbage, or an installation is under way."""
    try:
        return set() if UNFINISHED.exists() else set(json.loads(STAMP.read_text(encoding="utf-8")).items())
    except (OSError, ValueError, AttributeError, TypeError):
        return set()


def fingerprint(want: str) -> str:
    """Everything that an installation depends on: the lock, the project's metadata, and where .venv lies."""
    digest = hashlib.sha256(str(VENV).encode())
    for path in (ROOT / "requirements" / f"{want}.txt", ROOT / "pyproject.toml"):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def ill() -> str:
    """Why .venv cannot be used; "" where it can."""
    check = "import sys, pip; sys.exit(3 * (sys.version_info < (3, 11) or sys.prefix == sys.base_prefix))"
    try:
        asked = subprocess.run([PYTHON, "-c", check], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"its Python does not start ({error})"
    script = VENV / "bin" / "pip"
    if asked.returncode == 0 and script.exists() and str(VENV) not in script.read_text(errors="replace"):
        return "it was made in another place"
    last = asked.stderr.strip().splitlines()[-1:] or ["it is none, or older than 3.11"]
    return f"its Python is not usable ({last[0]})" if asked.returncode else ""


def discard() -> None:
    if VENV.is_symlink() or VENV.is_file():
        VENV.unlink()
    else:
        shutil.rmtree(VENV)


def make() -> bool:
    made = subprocess.run([sys.executable, "-m", "venv", VENV], capture_output=True, text=True, check=False)
    if made.returncode:
        say(f"{sys.executable} could not make .venv:\n{(made.stdout + made.stderr).strip()}")
        say("Debian and Ubuntu package the venv module apart: `apt install python3-venv`, then run make again.")
    return made.returncode == 0


def pip(*arguments: str) -> bool:
    """Run pip in .venv. When it fails, say what it said, short; the log has the rest."""
    with LOG.open("a+", encoding="utf-8") as log:
        start = log.tell()
        done = subprocess.run([PYTHON, *PIP, *arguments], stdout=log, stderr=subprocess.STDOUT, check=False)
        log.seek(start)
        said = [line.rstrip() for line in log if line.strip()]
    if done.returncode:
        errors = [line for line in said if line.startswith("ERROR:")] or said
        say(f"pip could not install (exit status {done.returncode}):")
        say("\n".join(f"  {line}" for line in errors[-SHOWN:]))
        say("Does this machine reach its package index (`pip config list`, proxy, certificates)? Then run make again.")
        say(f"Everything that pip said is in {LOG.relative_to(ROOT)}.")
    return done.returncode == 0


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    if sys.argv[1:] not in (["run"], ["dev"]):
        sys.exit("usage: requirements/install run|dev")
    try:
        sys.exit(main(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit("interrupted; run make again to go on")

"""Setting up: what is missing is named, what a broken run left behind does no harm, and a second run is quick."""

import importlib.util
import os
import stat
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
INSTALL = ROOT / "requirements" / "install"


class Place:
    """A project folder of its own, with a pip that only writes down what it was asked for."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (root / "requirements").mkdir(parents=True)
        for name in ("run", "dev"):
            (root / "requirements" / f"{name}.txt").write_text(f"# {name}\n")
        (root / "pyproject.toml").write_text("[project]\n")
        self.root, self.venv = root, root / ".venv"
        self.asked: list[str] = []
        self.pip_works = True
        self.module = loaded()
        for name, value in {
            "ROOT": root,
            "VENV": self.venv,
            "PYTHON": self.venv / "bin" / "python",
            "STAMP": self.venv / "holdfast-installed.json",
            "UNFINISHED": self.venv / "holdfast-unfinished",
            "LOG": self.venv / "holdfast-install.log",
            "pip": self.pip,
            "make": self.make,
        }.items():
            monkeypatch.setattr(self.module, name, value)

    def pip(self, *arguments: str) -> bool:
        self.asked.append(arguments[-1].removeprefix(str(self.root)).lstrip("/"))
        return self.pip_works

    def make(self) -> bool:
        """Make a small .venv: a real interpreter, and a package that is called pip."""
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", self.venv], check=True)
        site = next((self.venv / "lib").glob("python*/site-packages"))
        (site / "pip.py").touch()
        self.asked.append("venv")
        return True

    def install(self, want: str) -> tuple[int, list[str]]:
        self.asked = []
        return self.module.main(want), self.asked


def loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install", INSTALL.with_suffix(".py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(tmp_path / "project", monkeypatch)


EVERYTHING = ["venv", "requirements/run.txt", ""]


def test_the_first_run_makes_everything_and_the_second_nothing(place: Place) -> None:
    assert place.install("run") == (0, EVERYTHING)
    assert place.install("run") == (0, [])


def test_what_serves_the_tests_serves_the_program(place: Place) -> None:
    place.install("dev")
    assert place.install("run") == (0, [])


def test_a_changed_lock_is_installed_into_the_same_venv(place: Place) -> None:
    place.install("run")
    (place.root / "requirements" / "run.txt").write_text("# changed\n")
    assert place.install("run") == (0, ["requirements/run.txt", ""])


def test_a_run_that_failed_is_begun_anew(place: Place) -> None:
    place.pip_works = False
    assert place.install("run")[0] == 1
    place.pip_works = True
    assert place.install("run") == (0, EVERYTHING)


@pytest.mark.parametrize("leftover", ["empty folder", "file", "dangling link", "no pip", "no python", "rubbish stamp"])
def test_leftovers_do_no_harm(place: Place, leftover: str) -> None:
    place.make()
    match leftover:
        case "no pip":
            next(place.venv.rglob("pip.py")).unlink()
        case "no python":
            (place.venv / "bin" / "python").unlink()
        case "rubbish stamp":
            (place.venv / "holdfast-installed.json").write_text("[1, 2")
        case _:
            place.module.discard()
    match leftover:
        case "empty folder":
            place.venv.mkdir()
        case "file":
            place.venv.write_text("")
        case "dangling link":
            place.venv.symlink_to("nowhere")
    status, asked = place.install("run")
    assert status == 0
    assert asked[-2:] == EVERYTHING[-2:]
    assert place.install("run") == (0, [])


def script(*, python: str, path: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{path}{os.pathsep}/usr/bin{os.pathsep}/bin", "PYTHON": python}
    return subprocess.run(["sh", INSTALL, "run"], env=environment, capture_output=True, text=True, check=False)


def test_a_missing_venv_module_is_named_with_its_package(tmp_path: Path) -> None:
    fake = tmp_path / "python3.11"
    fake.write_text(f'#!/bin/sh\ncase "$*" in *ensurepip*) exit 1;; esac\nexec "{sys.executable}" "$@"\n')
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    ended = script(python="python3.11", path=tmp_path)
    assert ended.returncode == 1
    assert "apt install python3-venv" in ended.stderr


def test_a_missing_python_is_named_with_its_package(tmp_path: Path) -> None:
    ended = script(python="python3.99", path=tmp_path)
    assert ended.returncode == 1
    assert "Python 3.11 or newer" in ended.stderr
    assert "apt install python3" in ended.stderr


def test_what_pip_said_is_shown_short(tmp_path: Path, monkeypatch, capsys) -> None:
    module = loaded()
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "LOG", tmp_path / "install.log")
    monkeypatch.setattr(module, "PYTHON", sys.executable)
    monkeypatch.setattr(module, "PIP", ("-c", "print('looking'); print('ERROR: no such package'); raise SystemExit(1)"))
    assert not module.pip("install")
    said = capsys.readouterr().err
    assert "ERROR: no such package" in said
    assert "looking" not in said
    assert "install.log" in said

"""README's first steps work as they are written, in order, in an empty folder, with nobody's keys.

The command is that of an installed wheel: nothing of the checkout is on the path.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from installed import install_wheel
from own_network import own_network

ROOT = Path(__file__).parents[2]
SECONDS = 280  # on a machine that is busy with other things
(STEPS,) = re.findall(
    r"^<!-- not run: tests/system/test_first_steps.py[^\n]*\n```sh\n(.*?)^```$",
    (ROOT / "README.md").read_text(encoding="utf-8"),
    re.MULTILINE | re.DOTALL,
)


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the command that `pipx install .` would put on the PATH."""
    return install_wheel(tmp_path_factory.mktemp("installed"))


@pytest.fixture
def nobody(commands: Path) -> dict[str, str]:
    """An environment without keys, and with nothing of ours but the installed command."""
    clean = {n: v for n, v in os.environ.items() if not n.startswith("HOLDFAST_") and not n.endswith("_API_KEY")}
    return clean | {"PATH": f"{commands}{os.pathsep}{clean['PATH']}", "NO_COLOR": "1"}


def shell(script: str, folder: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [*own_network(), "sh", "-euc", script]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=SECONDS, check=False)


def test_the_first_steps_work_as_written(tmp_path: Path, nobody: dict[str, str]) -> None:
    try:
        ran = shell(STEPS, tmp_path, nobody)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        assert ran.stdout.count("answer to") == 2
        assert "no worker is running" not in ran.stderr, "up --detach came back before its worker was there"
        assert re.search(r"anthropic/claude-opus-4-8 +server error +503", ran.stdout), ran.stdout
        assert len((tmp_path / "answers.jsonl").read_text().splitlines()) == 1
        assert not (tmp_path / ".holdfast" / "up.pid").exists()
    finally:
        shell("holdfast down || true", tmp_path, nobody)


def test_after_the_end_of_the_simulation_the_own_configuration_counts_again(
    tmp_path: Path, nobody: dict[str, str]
) -> None:
    shell("holdfast init; mkdir -p .holdfast; echo 1 > .holdfast/up.pid; rm .holdfast/up.pid", tmp_path, nobody)
    ran = shell("holdfast config show --json", tmp_path, nobody)
    assert '"source": "holdfast.toml"' in ran.stdout


def test_init_begins_with_the_keys_that_it_finds_and_overwrites_nothing(tmp_path: Path, nobody: dict[str, str]) -> None:
    env = nobody | {"OPENAI_API_KEY": "sk-test"}
    assert shell("holdfast init --offline && holdfast config check", tmp_path, env).returncode == 0
    text = (tmp_path / "holdfast.toml").read_text()
    assert 'api = "openai"' in text
    assert "anthropic" not in text
    assert shell("holdfast init", tmp_path, env).returncode == 1
    assert (tmp_path / "holdfast.toml").read_text() == text


PROGRAM = """
from holdfast.client import Holdfast

hf = Holdfast()
reveal_type(hf.submit("one"))
reveal_type(hf.submit(["one"], model="smart"))
reveal_type(hf.ask("one").text)
hf.submit("one", modle="smart")
"""


def test_a_type_checker_sees_the_types_of_an_installed_wheel(tmp_path: Path, commands: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    python = commands / "python"
    checker = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", "cache", "--python-executable", str(python)]
    ran = subprocess.run(
        [*checker, "program.py"], cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    told = re.findall(r'Revealed type is "([^"]*)"', ran.stdout)
    assert told == ["holdfast.client.sync.Job", "holdfast.client.sync.Batch", "str | None"], ran.stdout + ran.stderr
    assert 'did you mean "model"?' in ran.stdout

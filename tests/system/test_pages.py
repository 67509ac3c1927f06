"""The documentation runs: every block of it that can, against real workers and simulated providers."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from holdfast.config import load
from holdfast.lab.providers.process import SimProcess
from holdfast.lab.providers.serve import config
from holdfast.lab.providers.settings import SimSettings

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
SECURITY = (ROOT / "docs" / "howto" / "security.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(<!-- not run: [^\n]*-->\n)?^```(sh|bash|python|toml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS = 280  # for one block, on a machine that is busy with other things


@dataclass(frozen=True)
class Block:
    page: Path
    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [Block(page, language, text) for skipped, language, text in found if not skipped]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Two simulated providers under the names that the pages use, and a worker."""
    home = tmp_path_factory.mktemp("docs")
    with ExitStack() as stack:
        sims = [stack.enter_context(SimProcess(SimSettings(latency=(0.01, 0.01)))) for _ in range(2)]
        storage = f'[storage]\ndatabase_url = "sqlite:///{home}/holdfast.db"\ndirectory = "{home}"\n'
        file = home / "sim.toml"
        file.write_text(config(sims[0].url, sims[1].url) + storage)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
        path = f"{Path(sys.executable).parent}{os.pathsep}{clean['PATH']}"
        ready = clean | {"PATH": path, "HOLDFAST_CONFIG": str(file), "NO_COLOR": "1"}
        with (home / "worker.log").open("wb") as log:
            worker = subprocess.Popen([sys.executable, "-m", "holdfast.worker"], env=ready, cwd=home, stderr=log)
        try:
            yield ready
        finally:
            worker.terminate()
            worker.wait(30)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=lambda page: page.name)
def test_every_block_of_a_page_runs(page: Path, environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "Makefile").symlink_to(ROOT / "Makefile")
    for block in blocks(page):
        if block.language == "toml":
            file = tmp_path / "holdfast.toml"
            file.write_text(block.text)
            load(file, {})
            continue
        command = [sys.executable, "-c", block.text] if block.language == "python" else ["sh", "-euc", block.text]
        ran = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert ran.returncode == 0, f"{block.text}\n{ran.stdout}\n{ran.stderr}"


def test_the_commands_of_the_security_page_work(tmp_path: Path) -> None:
    (script,) = re.findall(r"^```sh\n(.*?)^```$", SECURITY, re.MULTILINE | re.DOTALL)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    ran = subprocess.run(
        ["sh", "-euc", script],
        cwd=tmp_path,
        env=clean | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{clean['PATH']}"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "status revoked" in ran.stdout
    assert (tmp_path / "ops.key").exists()

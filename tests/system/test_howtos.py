"""Every howto works as it is written: its blocks in order, in one shell, in an empty folder, with nobody's keys.

TOML goes into the folder's holdfast.toml, block after block, as a reader would put it there, and is loaded. A block
that cannot run here says so in a comment before it; how many those are stands below.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from holdfast.config import load
from own_network import own_network

PAGES = sorted((Path(__file__).parents[2] / "docs" / "howto").glob("*.md"))
BLOCK = re.compile(r"^( *<!-- not run: [^\n]*-->\n)?^ *```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
NOT_RUN = {"deploy.md": 2, "http.md": 1, "python.md": 1, "routes.md": 1, "scale.md": 1}
RUN = {"sh", "python", "toml"}
SECONDS = 560  # for one page, on a machine that is busy with other things


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    skipped: bool


def blocks(page: Path) -> list[Block]:
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [Block(language, dedent(text), bool(mark)) for mark, language, text in found if language in RUN]


def script(run: list[Block]) -> str:
    """Return the blocks as one script of a shell."""
    wrapped = {"sh": "{}", "python": "python - <<'END_OF_PYTHON'\n{}END_OF_PYTHON\n"}
    wrapped["toml"] = "cat >> holdfast.toml <<'END_OF_TOML'\n{}END_OF_TOML\n"
    return "".join(wrapped[block.language].replace("{}", block.text) for block in run)


@pytest.fixture
def nobody() -> dict[str, str]:
    """An environment without keys, and with nothing of ours but the command."""
    clean = {n: v for n, v in os.environ.items() if not n.startswith("HOLDFAST_") and not n.endswith("_API_KEY")}
    return clean | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{clean['PATH']}", "NO_COLOR": "1"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_howto_works_as_written(page: Path, tmp_path: Path, nobody: dict[str, str]) -> None:
    run = [block for block in blocks(page) if not block.skipped]
    command = [*own_network(), "sh", "-euc", script(run)]
    try:
        ran = subprocess.run(
            command, cwd=tmp_path, env=nobody, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
    finally:
        subprocess.run(
            ["holdfast", "down"], cwd=tmp_path, env=nobody, capture_output=True, timeout=SECONDS, check=False
        )
    if any(block.language == "toml" for block in run):
        load(tmp_path / "holdfast.toml", {})


def test_what_is_not_run_says_why_and_is_counted() -> None:
    skipped = {page.name: sum(block.skipped for block in blocks(page)) for page in PAGES}
    assert {page: count for page, count in skipped.items() if count} == NOT_RUN

"""docs/howto/security.md: its commands work, and every claim of its table names a test that is there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.api.auth.failed_auth import FEW, WRITTEN
from holdfast.api.auth.key_cache import STALE
from holdfast.model.access import KeyScope

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "howto" / "security.md").read_text(encoding="utf-8")
ROWS = [line.split("|")[1:-1] for line in PAGE.partition("## The table")[2].splitlines() if line.startswith("| ")][2:]


def test_the_commands_of_the_page_work(tmp_path: Path) -> None:
    (script,) = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    ran = subprocess.run(
        ["sh", "-euc", script],
        cwd=tmp_path,
        env=clean | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{clean['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "status revoked" in ran.stdout
    assert (tmp_path / "ops.key").exists()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip())
def test_a_claim_names_its_test(row: list[str]) -> None:
    (named,) = re.findall(r"`(tests/[\w/.]+\.py)`", row[-1])
    assert (ROOT / named).is_file()


def test_every_scope_is_explained() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == [scope.value for scope in KeyScope]


def test_its_figures_are_those_of_the_code() -> None:
    assert (FEW, WRITTEN) == (20, 60)
    assert "after twenty refusals in a minute" in PAGE
    assert "sixty rows a\nminute" in PAGE
    assert STALE < 5


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", PAGE)
    assert links
    assert [link for link in links if not (ROOT / "docs" / "howto" / link).exists()] == []

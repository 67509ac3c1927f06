"""The page about upgrading says what the program does."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.model.errors import SchemaBehind
from store.test_old_code import REVISIONS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "howto" / "upgrade.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("block", re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL))
def test_every_command_of_the_page_runs(block: str, tmp_path: Path) -> None:
    words = block.split()
    assert words[0] == "holdfast"
    ran = subprocess.run(
        [sys.executable, "-m", "holdfast.cli", *words[1:]], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / ".holdfast" / "holdfast.db").exists()


def test_every_link_of_the_page_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert [link for link in links if not (ROOT / "docs" / "howto" / link).exists()] == []


def test_the_error_names_the_command_of_the_page_and_its_exit_status() -> None:
    error = SchemaBehind("postgresql://host/name", REVISIONS[-1], "9999")
    assert "`holdfast db upgrade`" in str(error)
    assert f"exit status {error.exit_status}" in PAGE
    assert f"`{error.code}`" in PAGE

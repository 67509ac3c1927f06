"""docs/howto/security.md: every claim of its table names a test that is there, and its figures are the code's."""

import re
from pathlib import Path

import pytest

from holdfast.api.auth.failed_auth import FEW, WRITTEN
from holdfast.api.auth.key_cache import STALE
from holdfast.model.access import KeyScope

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "howto" / "security.md").read_text(encoding="utf-8")
ROWS = [line.split("|")[1:-1] for line in PAGE.partition("## The table")[2].splitlines() if line.startswith("| ")][2:]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip())
def test_a_claim_names_its_test(row: list[str]) -> None:
    (named,) = re.findall(r"`(tests/[\w/.]+\.py)`", row[-1])
    assert (ROOT / named).is_file()


def test_every_scope_is_explained() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == [scope.value for scope in KeyScope]


def test_its_figures_are_those_of_the_code() -> None:
    assert (FEW, WRITTEN) == (600, 60)
    assert "after 600 refusals in a minute" in PAGE
    assert "sixty rows a\nminute" in PAGE
    assert STALE < 5


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", PAGE)
    assert links
    assert [link for link in links if not (ROOT / "docs" / "howto" / link).exists()] == []

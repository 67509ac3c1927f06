"""The documentation leads somewhere, and says what the code says. That its blocks run is tested in tests/system."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.model.fault import FaultKind

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
TIMELESS = [page for page in PAGES if page.parent.name != "decisions"]  # those speak of their own day
PARTS = "model|policy|wire|config|store|lanes|client|api|cli|worker|providers|credentials|lab"
NAMED = re.compile(rf"`((?:shared|producers|workers|docs|bench|tests|{PARTS})/[\w./-]+)`")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_generated_pages_and_errors_say_what_the_code_says() -> None:
    checked = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_every_fault_is_explained() -> None:
    page = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    assert [kind for kind in FaultKind if f"| `{kind}` |" not in page] == []


@pytest.mark.parametrize("page", TIMELESS, ids=lambda page: page.stem)
def test_every_module_that_a_page_speaks_of_is_there(page: Path) -> None:
    places = [ROOT, *(ROOT / root / "holdfast" for root in ("shared", "producers", "workers"))]
    named = NAMED.findall(page.read_text(encoding="utf-8"))
    assert [name for name in named if not any((place / name).exists() for place in places)] == []

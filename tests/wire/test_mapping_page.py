"""docs/mapping.md has all 22 points, and each names a test that is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "mapping.md"
POINTS = 22


def test_every_point_of_the_page_names_a_test_that_exists():
    rows = re.findall(r"^\| (\d+) \|.*\| `(test_\w+)` \|$", PAGE.read_text(), re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, POINTS + 1))
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").glob("*/test_*.py"))
    assert [name for _, name in rows if f"def {name}(" not in tests] == []

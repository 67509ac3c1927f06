"""What bench/house.py counts stays where it is: each decision once, one name for one thing, no hidden arrow."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "bench"))
import house_measures as house  # noqa: E402 - no package
from house import ROWS, Row  # noqa: E402 - no package
from house_measures import Tree  # noqa: E402 - no package

sys.path.pop()  # or bench/store.py hides tests/store

HELD = [row for row in ROWS if row.held]
TREE = Tree(ROOT)


@pytest.mark.parametrize("row", HELD, ids=lambda row: row.what)
def test_a_bar_of_the_house_holds(row: Row) -> None:
    value, places = row.measured(TREE)
    assert row.holds(value), "\n".join(places)


@pytest.fixture
def tree(tmp_path: Path) -> Callable[[Mapping[str, str]], Tree]:
    """A checkout that holds these files."""

    def written(files: Mapping[str, str]) -> Tree:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
        subprocess.run(["git", "add", "-A"], cwd=tmp_path, check=True)
        return Tree(tmp_path)

    return written


KINDS = "from holdfast.model.fault import FaultKind as K\n"


@pytest.mark.parametrize(
    "code",
    [
        "BAD = {K.AUTH, K.REFUSED, K.EXPIRED}",
        "BAD = {K.AUTH: 1, K.REFUSED: 2, K.EXPIRED: 3}",
        "match kind:\n    case K.AUTH: a\n    case K.REFUSED | K.EXPIRED: b",
        "bad = kind is K.AUTH or kind is K.REFUSED or kind is K.EXPIRED",
    ],
)
def test_a_table_over_kinds_of_faults_is_seen(tree, code: str) -> None:
    assert len(house.fault_tables(tree({"shared/holdfast/store/x.py": KINDS + code}))) == 1


@pytest.mark.parametrize("code", ["TWO = {K.AUTH, K.REFUSED}", "CODES = {401: K.AUTH, 403: K.REFUSED, 410: K.EXPIRED}"])
def test_two_kinds_and_a_providers_codes_are_no_table(tree, code: str) -> None:
    assert house.fault_tables(tree({"shared/holdfast/store/x.py": KINDS + code})) == []


def test_a_class_name_with_two_meanings_is_seen(tree) -> None:
    code = "class Once: ...\nclass Twice: ..."
    found = house.repeated_classes(tree({"shared/holdfast/a.py": code, "workers/holdfast/b.py": "class Twice: ..."}))
    assert found == ["Twice: shared/holdfast/a.py:2, workers/holdfast/b.py:1"]


def test_a_field_without_a_sentence_is_seen(tree) -> None:
    record = 'class Record:\n    bare: int\n    told: int\n    """Set by the claim."""\n    beside: int  # set by it'
    found = house.unexplained_fields(tree({"shared/holdfast/model/records.py": record}))
    assert found == ["shared/holdfast/model/records.py:2 Record.bare"]


def test_an_import_by_a_string_is_seen(tree) -> None:
    code = 'import_module("holdfast.lab.demo").run()\nimport_module("json")'
    assert house.string_imports(tree({"producers/holdfast/cli/x.py": code})) == [
        "producers/holdfast/cli/x.py:1 holdfast.lab.demo"
    ]


def test_a_circle_is_seen_also_through_functions_and_type_checking(tree) -> None:
    files = {
        "shared/holdfast/a.py": "from holdfast.b import x",
        "shared/holdfast/b.py": "def f():\n    from holdfast import a",
        "shared/holdfast/c.py": "from holdfast.d import x",
        "shared/holdfast/d.py": "if TYPE_CHECKING:\n    from holdfast.c import x",
    }
    assert house.circles(tree(files)) == ["holdfast.a ↔ holdfast.b", "holdfast.c ↔ holdfast.d"]


def test_a_private_word_is_seen_where_it_names_something_and_a_coined_one_anywhere(tree) -> None:
    coined = house.COINED["lanes"].split()[0]
    files = {
        "docs/x.md": f"The {coined} listens.",
        "shared/holdfast/lanes/x.py": "def mend(): ...\n# mend it",
        "shared/holdfast/store/x.py": "def mend(): ...",
    }
    assert house.private_words(tree(files)) == [f"docs/x.md:1 {coined}", "shared/holdfast/lanes/x.py:1 mend"]


def test_the_values_that_one_job_is_are_those_that_name_it_and_that_the_way_makes(tree) -> None:
    values = "@dataclass\nclass Permit:\n    job: str\n\n@dataclass\nclass Call:\n    permit: Permit\n\n"
    values += "@dataclass\nclass Idle:\n    job: str\n\n@dataclass\nclass Rule:\n    limit: int\n"
    made = "from holdfast.model.x import Call, Permit, Rule\nCall(Permit(1))\nRule(2)"
    files = {"shared/holdfast/model/x.py": values, "shared/holdfast/store/y.py": made}
    assert house.job_records(tree(files)) == ["shared/holdfast/model/x.py: Call", "shared/holdfast/model/x.py: Permit"]

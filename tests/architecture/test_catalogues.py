"""The catalogues of log events, metrics and moves say what the code says."""

import re
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from holdfast.api import create_app
from holdfast.policy.moves import MOVES
from holdfast.store import Store
from producing import StandInWorker, configured

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "docs"))
from catalogues import Event, events, log_problems  # noqa: E402 - no package
from lifecycle_page import lifecycle_page  # noqa: E402 - no package

sys.path.pop()

PAGE = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(holdfast_\w+)` \| (gauge|counter|histogram) \|([^|]*)\|([^|]*)\|$", re.MULTILINE)
ROWS = {name: (kind, set(re.findall(r"\w+", labels)), words.strip()) for name, kind, labels, words in ROW.findall(PAGE)}


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Metric]:
    """What is exposed after one job has succeeded, one is dead, and one waits."""
    settings = configured(tmp_path_factory.mktemp("metrics"))
    store = Store(settings.storage.database_url)
    store.ensure()
    worker = StandInWorker(store)
    with TestClient(create_app(settings), base_url="http://127.0.0.1:8700") as api:
        for settle in (worker.answer, worker.bury, lambda: None):
            api.post("/api/v1/jobs", json={"model": "smart", "prompt": "hello"}).raise_for_status()
            settle()
        text = api.get("/metrics").text
    store.close()
    return {_shown(family): family for family in text_string_to_metric_families(text)}


def _shown(family: Metric) -> str:
    return f"{family.name}_total" if family.type == "counter" else family.name


def test_every_metric_has_its_row_with_type_and_words(exposed: dict[str, Metric]) -> None:
    told = {name: (family.type, family.documentation) for name, family in exposed.items()}
    assert told == {name: (kind, words) for name, (kind, _, words) in ROWS.items()}


def test_every_label_that_is_exposed_is_explained(exposed: dict[str, Metric]) -> None:
    labelled = 0
    for name, family in exposed.items():
        for sample in family.samples:
            labels = set(sample.labels) - {"le"}
            assert labels == ROWS[name][1], name
            labelled += bool(labels)
    assert labelled > 10


def test_every_log_event_has_its_row_with_level_and_fields() -> None:
    assert log_problems(ROOT) == []


CODE = """
log = get_logger()
OVER = {"alert": "alert_over"}
def tell(kind):
    log.info("begun", lane=1)
    log.exception("begun", job=2, exc_info=True)
    log.warning(OVER[kind])
"""


def test_events_are_read_with_all_their_levels_and_fields_and_out_of_tables(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "code.py").write_text(CODE)
    assert events(tmp_path) == {"begun": Event({"info", "error"}, {"lane", "job"}), "alert_over": Event({"warning"})}


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("| `begun` | info | `lane` | it began | nothing |", "lacks: | `begun` | info, error | `job`, `lane` |"),
        ("| `ended` | info |  | it ended | nothing |", "explains `ended`, which nothing logs"),
    ],
)
def test_a_row_that_differs_is_named(tmp_path: Path, row: str, problem: str) -> None:
    for folder, file, text in (("shared", "code.py", CODE), ("docs", "logs.md", row)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / file).write_text(text)
    assert any(problem in each for each in log_problems(tmp_path))


PAGE_OF_MOVES = """# Life

```mermaid
stateDiagram-v2
    queued --> dead
```

Kept.

| move | who | ends so |
| --- | --- | --- |
| `queued` to `dead` | nobody |

Kept too.
"""


def test_diagram_and_table_of_the_moves_are_written_anew_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(PAGE_OF_MOVES)
    written = lifecycle_page(tmp_path / "page.md")
    for move in MOVES:
        assert f"    {move.before or '[*]'} --> {move.after}\n" in written
        assert f"to `{move.after}` | {move.who} | {move.when} |" in written
    assert "queued --> dead" not in written
    assert "| `queued` to `dead` |" not in written
    assert written.startswith("# Life\n\n```mermaid\n")
    assert "```\n\nKept.\n\n| move |" in written
    assert written.endswith("|\n\nKept too.\n")

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.ended import Ended
from cli.mistakes import strangers
from holdfast.cli.main import app
from holdfast.config import Settings
from holdfast.store import Store
from producing import StandInWorker, configured


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A command that waits for ever would hold up everything else."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(300))


Cli = Callable[..., Ended]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return configured(tmp_path)


@pytest.fixture
def store(settings: Settings):
    store = Store(settings.storage.database_url)
    store.ensure()
    yield store
    store.close()


@pytest.fixture
def worker(store: Store) -> StandInWorker:
    return StandInWorker(store)


@pytest.fixture
def cli(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run a command in ``tmp_path``, with the test's configuration and nobody's environment."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("HOLDFAST_")]:
        monkeypatch.delenv(name)

    def run(*arguments: str, stdin: str | bytes | None = None) -> Ended:
        result = CliRunner().invoke(app, [str(each) for each in arguments], input=stdin, prog_name="holdfast")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ended(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture(scope="module")
def addresses() -> Iterator[dict[str, str]]:
    """Serve as somebody else, and take a port: what mistakes name."""
    with strangers() as addresses:
        yield addresses


def jsonl(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.fixture
def prompts(tmp_path: Path) -> Callable[..., Path]:
    """Write an input file: a line per text; what starts with a brace or a question mark is written as it is."""

    def write(*texts: str, name: str = "in.jsonl") -> Path:
        def line(number: int, text: str) -> str:
            raw = text.startswith(("{", "?"))
            return text if raw else json.dumps({"custom_id": f"c{number}", "model": "smart", "prompt": text})

        path = tmp_path / name
        path.write_text("".join(f"{line(number, text)}\n" for number, text in enumerate(texts)))
        return path

    return write

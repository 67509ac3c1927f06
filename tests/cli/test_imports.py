"""A command imports what it needs and nothing else: nearly all of its CPU time is imports."""

import json
import os
import subprocess
import sys
from collections.abc import Container, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import BigInteger, Integer, LargeBinary, String, TableClause, TypeDecorator
from sqlalchemy.types import TypeEngine

from holdfast.client import Holdfast
from holdfast.config import load
from holdfast.lanes import connect
from holdfast.store import Store
from holdfast.store.records import ATTEMPT, JOB, REQUEST, RESULT
from holdfast.store.tables import METADATA
from producing import StandInWorker, configured, served_as_pool

HEAVY = {
    "alembic", "anthropic", "authlib", "dramatiq", "fastapi", "jsonschema_rs", "openai", "psycopg", "sqlalchemy.orm",
    "sqlalchemy.dialects.postgresql", "sqlmodel", "starlette", "structlog", "holdfast.client.asynchronous",
    "holdfast.lanes.gate", "holdfast.store.tables",
}  # fmt: skip
UNASKED = {  # what only other commands need, or who reads answers
    "holdfast.cli.batch", "holdfast.cli.dlq", "holdfast.cli.key", "holdfast.cli.run", "holdfast.cli.up",
    "holdfast.client.batch_output", "holdfast.client.job_items", "holdfast.lab",
    "holdfast.store.request_codec", "holdfast.store.writer", "holdfast.wire.anthropic", "holdfast.wire.chat",
}  # fmt: skip
REDIS = {"redis", "redis.asyncio"}
RUN = """
import json, sys
from holdfast.cli.main import run
try:
    run()
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


@pytest.fixture
def job(tmp_path: Path) -> Iterator[str]:
    """A job that ended, in a storage whose embedded Redis runs."""
    settings = configured(tmp_path, redis_url="embedded")
    with (
        closing(connect("embedded", tmp_path)) as running,
        Holdfast(settings) as hf,
        closing(Store(settings.storage.database_url)) as store,
    ):
        assert running.url
        sent = hf.submit(["hello"], model="smart")
        StandInWorker(store).answer()
        (answer,) = sent.results()
        yield answer.id


def imported_by(directory: Path, *command: str, ok: Container[int] = (0,)) -> set[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    done = subprocess.run(
        [sys.executable, "-c", RUN, *command],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in ok, done.stderr
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_status_imports_neither_the_schema_nor_what_only_workers_and_servers_need(tmp_path: Path, job: str) -> None:
    assert job
    found = imported_by(tmp_path, "status")
    assert "redis" in found, "the server runs, and status asks it"
    assert not found & (HEAVY | UNASKED)


def test_a_look_at_a_job_that_ended_imports_no_redis_either(tmp_path: Path, job: str) -> None:
    assert not imported_by(tmp_path, "job", "show", job) & (HEAVY | REDIS)


@pytest.mark.parametrize("command", ["status", "job show JOB"])
def test_a_look_at_jobs_that_wait_without_a_pool_imports_no_format_of_a_provider(tmp_path: Path, command: str) -> None:
    body = {"model": "smart", "messages": [{"role": "user", "content": "hi"}]}
    written = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": body}
    with Holdfast(configured(tmp_path)) as hf:
        hf.submit(["hello"], model="smart", priority="interactive")
        job = hf.submit([written]).jobs[0].id
    found = imported_by(tmp_path, *command.replace("JOB", job).split())
    assert not found & (HEAVY | UNASKED | {"holdfast.wire.written", "holdfast.wire.responses"})


def test_a_check_of_the_configuration_imports_no_storage_at_all(tmp_path: Path, job: str) -> None:
    assert job
    assert not imported_by(tmp_path, "config", "check") & (HEAVY | UNASKED | REDIS | {"sqlalchemy", "asyncio"})


@pytest.mark.parametrize("command", ["status", "job show JOB", "batch list", "ask hello -m smart --timeout 0"])
def test_what_the_pool_of_the_folder_answers_imports_no_storage(
    tmp_path: Path, job: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with served_as_pool(load(Path("holdfast.toml"))):
        found = imported_by(tmp_path, *command.replace("JOB", job).split(), ok={0, 75})
    assert not found & (HEAVY | {"holdfast.config.schema", "httpx2", "redis", "sqlalchemy"})


@pytest.mark.parametrize("command", ["--help", "--version", "run --help", "ask --help"])
def test_help_and_version_import_neither_policy_nor_configuration(tmp_path: Path, command: str) -> None:
    found = imported_by(tmp_path, *command.split())
    assert not found & (HEAVY | REDIS | {"sqlalchemy", "holdfast.policy", "holdfast.config"})


def test_a_run_imports_neither_servers_nor_what_only_its_workers_need(tmp_path: Path) -> None:
    configured(tmp_path)
    (tmp_path / "in.jsonl").write_text('{"prompt": "hi"}\n')
    found = imported_by(tmp_path, "run", "in.jsonl", "-o", "out.jsonl", "-m", "smart", "--dry-run")
    assert "holdfast.client.job_items" in found
    assert found & (HEAVY | {"holdfast.cli.up", "holdfast.lab", "holdfast.worker"}) == set()


def kind_of(written: TypeEngine) -> type:
    """What Postgres is told that a parameter is: a date in microseconds is no plain integer to it."""
    return next(kind for kind in (BigInteger, Integer, LargeBinary, String) if isinstance(of_dialect(written), kind))


def of_dialect(written: TypeEngine) -> TypeEngine:
    return written.impl_instance if isinstance(written, TypeDecorator) else written


@pytest.mark.parametrize("read", [JOB, REQUEST, ATTEMPT, RESULT], ids=lambda table: table.name)
def test_the_columns_that_records_are_read_from_are_those_of_the_tables(read: TableClause) -> None:
    kept = METADATA.tables[read.name].columns
    for column in read.columns:
        assert kind_of(kept[column.name].type) is kind_of(column.type), column

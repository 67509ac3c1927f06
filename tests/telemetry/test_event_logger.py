"""A module of ours logs to whoever listens: a server's stderr, a program's own logging, else nobody."""

import logging
import subprocess
import sys
from collections.abc import Iterator

import orjson
import pytest
import structlog

from holdfast.telemetry.event_logger import event_logger
from holdfast.telemetry.stderr_logs import log_to_stderr


@pytest.fixture(autouse=True)
def nothing_configured() -> Iterator[None]:
    """Have structlog and Python's logging as a new process has them."""
    root, ours = logging.getLogger(), logging.getLogger("holdfast")
    before = [(each, list(each.handlers), each.level) for each in (root, ours)]
    root.handlers = []
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
    for logger, handlers, level in before:
        logger.handlers = handlers
        logger.setLevel(level)


def test_without_a_listener_nothing_is_written_among_a_programs_output() -> None:
    code = (
        "import logging; from holdfast.telemetry.event_logger import event_logger as of\n"
        "from holdfast.telemetry.loggers import library_logger\n"
        "of('holdfast.x').warning('secret_unreadable', why='gone'); library_logger('holdfast.y').error('broke')"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert (ended.stdout, ended.stderr) == (b"", b"")


def test_a_program_that_asks_gets_records_with_the_fields_as_attributes(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger().addHandler(caplog.handler)
    event_logger("holdfast.lanes.x").warning("garbage_deleted", count=3)
    (record,) = caplog.records
    assert (record.name, record.getMessage(), vars(record)["count"]) == ("holdfast.lanes.x", "garbage_deleted", 3)


def test_a_server_writes_events_and_records_alike(capsys: pytest.CaptureFixture[str]) -> None:
    log_to_stderr()
    event_logger("holdfast.lanes.x").warning("garbage_deleted", count=3)
    logging.getLogger("holdfast.client.x").info("waiting on: %s", "the database")
    logging.getLogger("library").info("nobody's business")
    try:
        raise ValueError("the words of a prompt")  # noqa: TRY301  what is logged is what is raised
    except ValueError:
        logging.getLogger("library").exception("it broke")
    lines = capsys.readouterr().err.splitlines()
    event, record, broken = map(orjson.loads, lines)
    assert (event["event"], event["count"], event["level"]) == ("garbage_deleted", 3, "warning")
    assert (record["event"], record["logger"]) == ("waiting on: the database", "holdfast.client.x")
    assert (broken["event"], broken["exception"][0]) == ("it broke", "ValueError")
    assert "the words of a prompt" not in "".join(lines)

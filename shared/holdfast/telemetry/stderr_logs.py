"""Logs of a server process: one line an event on stderr, JSON unless a person is watching."""

import logging
import sys
import traceback
from collections.abc import Iterator

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from holdfast.telemetry.tracing import is_tracing


def log_to_stderr() -> None:
    """Send events of level info and above to stderr, and with them what libraries warn of."""
    person = sys.stderr.isatty()
    render: Processor = structlog.dev.ConsoleRenderer() if person else structlog.processors.JSONRenderer()
    told: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        with_trace,
        without_words,
    ]
    structlog.configure(
        processors=[*told, render],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
    _take_records([structlog.stdlib.add_logger_name, *told], render)


def _take_records(told: list[Processor], render: Processor) -> None:
    """Write what comes through Python's logging as events, too: our own from info on, of libraries warnings."""
    handler = logging.StreamHandler(sys.stderr)
    without_marks = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=told, processors=[without_marks, render])
    )
    logging.getLogger().addHandler(handler)
    logging.getLogger("holdfast").setLevel(logging.INFO)


def with_trace(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """As a processor: name the current trace, where somebody traces."""
    if is_tracing():
        from holdfast.telemetry.spans import current_trace  # noqa: PLC0415 - somebody traces

        if (trace := current_trace()) is not None:
            return {**event, "trace_id": trace}
    return event


def without_words(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """As a processor: show an exception as its names and places. Its own words may quote a prompt, an answer or a key.

    >>> without_words(None, "error", {"exc_info": ValueError("a secret")})
    {'exception': ['ValueError']}
    """
    told = event.pop("exc_info", None)
    error = told[1] if isinstance(told, tuple) else told if isinstance(told, BaseException) else sys.exc_info()[1]
    return {**event, "exception": list(_trace(error))} if told and error else event


def _trace(error: BaseException) -> Iterator[str]:
    """An exception and what caused it, each with the lines that it passed, the innermost first."""
    cause: BaseException | None = error
    while cause is not None:
        yield type(cause).__name__
        for frame in reversed(traceback.extract_tb(cause.__traceback__)):
            yield f"  {frame.name} ({frame.filename}:{frame.lineno})"
        cause = cause.__cause__ or cause.__context__

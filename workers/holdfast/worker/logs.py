"""Logs of a worker process: one line an event on stderr, JSON unless a person is watching."""

import logging
import sys

import structlog


def log_to_stderr() -> None:
    """Send events of level info and above to stderr."""
    person = sys.stderr.isatty()
    render = structlog.dev.ConsoleRenderer() if person else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )

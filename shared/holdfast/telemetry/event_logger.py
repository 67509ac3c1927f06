"""Loggers of events with fields, for modules that run in servers and in other programs."""

from typing import cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from holdfast.telemetry.loggers import library_logger


def event_logger(module: str) -> FilteringBoundLogger:
    """Return a logger whose events go where the process sends structlog's, else to Python's logger of the module.

    Of a record of Python's the fields are attributes.
    """
    logger = library_logger(module)
    wrapped = structlog.wrap_logger(logger, processors=[_handed_on], wrapper_class=structlog.stdlib.BoundLogger)
    return cast("FilteringBoundLogger", wrapped)


def _handed_on(logger: WrappedLogger, level: str, event: EventDict) -> EventDict:
    if structlog.is_configured():
        getattr(structlog.get_logger(), level)(**event)
        raise structlog.DropEvent
    return structlog.stdlib.render_to_log_kwargs(logger, level, event)

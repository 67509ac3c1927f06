"""The span of a submit, to which the spans of its jobs are linked when workers process them."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from holdfast.telemetry import conventions as names
from holdfast.telemetry.tracing import is_tracing


@contextmanager
def submit_span(lanes: Collection[str], jobs: int, batch: str | None = None) -> Iterator[str | None]:
    """A PRODUCER span for ``jobs`` jobs of ``lanes``. Yields what is stored with each of them; None: nobody traces."""
    if not is_tracing():
        yield None
        return
    from opentelemetry.trace import SpanKind  # noqa: PLC0415 - imported already, somebody traces

    from holdfast.telemetry.spans import span, traceparent  # noqa: PLC0415

    lane = next(iter(lanes)) if len(lanes) == 1 else None
    about = {**names.messaging("send", lane), names.MESSAGES: jobs, names.BATCH: batch}
    with span(f"send {lane}" if lane else "send", SpanKind.PRODUCER, about):
        yield traceparent()

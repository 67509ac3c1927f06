"""Spans, and how the context of one travels with a job. Imported where somebody traces."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from holdfast.telemetry import conventions

TRACEPARENT = "traceparent"
TRACE_CONTEXT = TraceContextTextMapPropagator()

Attributes = Mapping[str, AttributeValue | None]


@contextmanager
def span(
    name: str, kind: SpanKind, attributes: Attributes, *, links: Sequence[Link] = (), parent: Context | None = None
) -> Iterator[Span]:
    """Make a span the current one. ``parent`` None: below the current one. Attributes that are None are left out.

    An exception marks the span by its name only: its own words may quote a prompt, an answer or a key.
    """
    given = {key: value for key, value in attributes.items() if value is not None}
    with trace.get_tracer("holdfast").start_as_current_span(
        name,
        context=parent,
        kind=kind,
        attributes=given,
        links=links,
        record_exception=False,
        set_status_on_exception=False,
    ) as made:
        try:
            yield made
        except BaseException as error:
            fail(made, type(error).__name__)
            raise


def describe(made: Span, attributes: Attributes) -> None:
    """Add attributes; those that are None are left out."""
    for key, value in attributes.items():
        if value is not None:
            made.set_attribute(key, value)


def fail(made: Span, error_type: str) -> None:
    """Mark a span as failed, with one word for what went wrong."""
    made.set_attribute(conventions.ERROR, error_type)
    made.set_status(Status(StatusCode.ERROR))


def traceparent() -> str | None:
    """The current span's context as the value of a header (W3C Trace Context). None: there is no current span."""
    headers: dict[str, str] = {}
    TRACE_CONTEXT.inject(headers)
    return headers.get(TRACEPARENT)


def context_of(header: str) -> Context:
    """Read the value of such a header. What is none gives an empty context."""
    return TRACE_CONTEXT.extract({TRACEPARENT: header}, context=Context())


def link_to(header: str | None) -> list[Link]:
    """The link to a span of another trace, by its ``traceparent``; none where that is None or cannot be read."""
    there = trace.get_current_span(context_of(header)).get_span_context() if header else None
    return [Link(there)] if there and there.is_valid else []


def current_trace() -> str | None:
    """The id of the trace that the current span is part of, in hex."""
    here = trace.get_current_span().get_span_context()
    return f"{here.trace_id:032x}" if here.is_valid else None

"""Whether anybody traces: asked on every submit and every job, so it costs nothing where nobody does."""

import sys

API = "opentelemetry.trace"  # slow to import, and needless where nobody has set a provider


def is_tracing() -> bool:
    """Whether this process has a tracer provider: its own (``export_spans``), or that of the program it is part of."""
    if API not in sys.modules:
        return False
    from opentelemetry import trace  # noqa: PLC0415 - only where it is imported already

    return not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider | trace.NoOpTracerProvider)

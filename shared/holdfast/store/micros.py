"""Stored time: whole microseconds since the Unix epoch, UTC. Values outside speak float seconds."""

NEVER = 1 << 62  # stands in ``expires_at`` of a job without a deadline, so that one index orders all jobs
MICROS = 1_000_000


def to_micros(seconds: float) -> int:
    return round(seconds * MICROS)


def micros_range(least: float | None, end: float | None) -> tuple[int, int]:
    """Return the bounds of times from ``least`` to before ``end``, in seconds; None leaves a side open."""
    return 0 if least is None else to_micros(least), NEVER if end is None else to_micros(end)


def to_seconds(micros: int) -> float:
    return micros / MICROS


def to_seconds_or_none(micros: int | None) -> float | None:
    """None stays None, and NEVER becomes it."""
    return None if micros is None or micros >= NEVER else micros / MICROS

"""Points in time as ISO 8601 writes them, in UTC where no zone is named."""

from datetime import UTC, datetime


def parse_iso(text: str) -> float | None:
    """Return the seconds since the epoch that ``text`` names, or None where it names none.

    >>> [parse_iso(text) for text in ("1970-01-02", "1970-01-01T01:00:00+01:00", "soon")]
    [86400.0, 0.0, None]
    """
    try:
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None

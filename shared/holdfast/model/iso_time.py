"""Points in time as ISO 8601 writes them: shown in UTC, and read as UTC where no zone is named.

RFC 3339, which OpenAPI's ``date-time`` follows, takes small letters, too (section 5.6).
"""

from datetime import UTC, datetime


def iso(seconds: float | None) -> str | None:
    """Write seconds since the epoch.

    >>> iso(1764000000.25)
    '2025-11-24T16:00:00.250Z'
    """
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_iso(text: str) -> float | None:
    """Return the seconds since the epoch that ``text`` names, or None where it names none.

    >>> [parse_iso(text) for text in ("1970-01-02", "1970-01-01T01:00:00+01:00", "1970-01-01t00:00:01z", "soon")]
    [86400.0, 0.0, 1.0, None]
    """
    try:
        at = datetime.fromisoformat(text.upper())
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None

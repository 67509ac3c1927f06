"""Points in time as they are shown: ISO 8601, in UTC. ``model.iso_time`` reads them."""

from datetime import UTC, datetime


def iso(seconds: float | None) -> str | None:
    """Write seconds since the epoch.

    >>> iso(1764000000.25)
    '2025-11-24T16:00:00.250Z'
    """
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

"""How a span of time is written, the same in the configuration, on the command line, over HTTP and in input lines."""

import math
import re

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
EXPECTED = 'a duration, such as "120s", "5m", "500ms" or a number of seconds'
_DURATION = re.compile(r"(\d+\.?\d*|\.\d+)\s*(ms|s|m|h|d)?")


def parse_duration(text: str) -> float | None:
    """Return the seconds that ``text`` names, finite and >= 0, or None where it names none.

    A number and a unit: ``ms``, ``s``, ``m``, ``h`` or ``d``. A number alone is seconds.

    >>> [parse_duration(text) for text in ("90s", "10m", "1.5h", "7d", "500ms", "90", "soon", "-1s", "9" * 400)]
    [90.0, 600.0, 5400.0, 604800.0, 0.5, 90.0, None, None, None]
    """
    found = _DURATION.fullmatch(text.strip())
    seconds = float(found[1]) * UNITS[found[2] or "s"] if found else math.inf
    return seconds if math.isfinite(seconds) else None


def lasting(seconds: float) -> str:
    """Say a time in the two largest units that matter.

    >>> [lasting(seconds) for seconds in (0.4, 59.6, 61.0, 7260.0, 200_000.0)]
    ['1 s', '1 min', '1 min 1 s', '2 h 1 min', '2 d 7 h']
    """
    left = max(1, round(seconds))
    parts: list[tuple[int, str]] = []
    for name, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or parts:
            parts.append((count, name))
    return " ".join(f"{count} {name}" for count, name in parts[:2] if count)

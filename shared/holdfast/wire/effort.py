"""Levels of reasoning effort, and the nearest of those that a model or a server knows."""

from collections.abc import Collection

LEVELS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")  # from the least


def nearest_level(wanted: str, known: Collection[str]) -> str | None:
    """Return the known level that is nearest to ``wanted``, the lower of two; a word that is no level is itself.

    None where ``none`` is wanted and unknown: any level would be more than was asked for, and so would be none at all.

    >>> nearest_level("max", {"low", "high"}), nearest_level("minimal", {"low"}), nearest_level("none", {"low"})
    ('high', 'low', None)
    """
    if wanted in known or wanted not in LEVELS:
        return wanted
    levels = [level for level in LEVELS if level in known and level != "none"]
    if wanted == "none" or not levels:
        return None
    return min(levels, key=lambda level: abs(LEVELS.index(level) - LEVELS.index(wanted)))

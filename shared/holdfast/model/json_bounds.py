"""Bounds on JSON from outside, before it is parsed and after: its brackets and its depth.

Every bracket costs many times its byte, and while a lot of them are parsed nobody else in the process is served.
"""

from typing import Any

MOST_BRACKETS = 1_000_000
CONTAINERS = (dict, list)


def has_too_many_brackets(body: bytes) -> bool:
    """Tell whether ``body`` opens more than ``MOST_BRACKETS`` lists and objects. Costs a scan of its bytes."""
    return len(body) > MOST_BRACKETS and body.count(b"[") + body.count(b"{") > MOST_BRACKETS


def is_deeper(value: Any, levels: int) -> bool:
    """Tell whether lists and objects are nested more than ``levels`` deep in a parsed value.

    >>> [is_deeper([[]], levels) for levels in (0, 1, 2)], is_deeper("[[]]", 0)
    ([True, True, False], False)
    """
    level = [value] if isinstance(value, CONTAINERS) else []
    for _ in range(levels):
        if not level:
            return False
        inner = (each.values() if isinstance(each, dict) else each for each in level)
        level = [child for children in inner for child in children if isinstance(child, CONTAINERS)]
    return bool(level)

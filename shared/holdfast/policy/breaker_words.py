"""The state of a breaker in words that a person need not learn."""

from collections.abc import Mapping

WORDS: Mapping[str, str] = {
    "open": "stopped",
    "half_open": "asking",
    "closed": "working",
    "forced_open": "stopped by an operator",
    "disabled": "let through by an operator",
}


def breaker_words(state: str, *, ramps: bool = False) -> str:
    """Tell a breaker's state in words, with the field's term beside them.

    >>> [breaker_words(state) for state in ("open", "half_open", "closed")]
    ['stopped (open)', 'asking (half-open)', 'working (closed)']
    >>> breaker_words("closed", ramps=True)
    'recovering (closed)'
    """
    word = "recovering" if ramps and state == "closed" else WORDS.get(state, state)
    return f"{word} ({state.replace('_', '-')})"

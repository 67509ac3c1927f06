"""Server-sent events as bytes: what a stream of any format is made of (WHATWG HTML, 9.2.6)."""

from collections.abc import Iterator
from typing import Any

from holdfast.model import exact_json

PIECE = 400  # characters of a text that one event carries
KEEP_ALIVE = b": waiting\n\n"  # a comment, which every reader passes over
# Characters at which some readers end a line though the standard does not; JSON leaves them as they are.
LINE_ENDS = {"\u0085": b"\\u0085", "\u2028": b"\\u2028", "\u2029": b"\\u2029"}


def write_event(data: Any, name: str | None = None) -> bytes:
    r"""Write one event whose data is ``data`` as JSON.

    >>> write_event({"a": 1}, "ping")
    b'event: ping\ndata: {"a":1}\n\n'
    """
    return b"%sdata: %s\n\n" % (f"event: {name}\n".encode() if name else b"", one_data_line(exact_json.dumps(data)))


def one_data_line(json: bytes) -> bytes:
    """Return compact JSON so that no reader sees a line end in it."""
    for character, escape in LINE_ENDS.items():
        json = json.replace(character.encode(), escape)
    return json


def pieces(text: str, size: int = PIECE) -> Iterator[str]:
    """Cut a text into pieces, so that who shows it while it comes has something to show.

    >>> list(pieces("abcde", 2)), list(pieces(""))
    (['ab', 'cd', 'e'], [])
    """
    return (text[start : start + size] for start in range(0, len(text), size))

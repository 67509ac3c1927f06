"""Streaming lines: each piece costs a hand-over between a thread and the event loop, so lines go out together."""

from collections.abc import Iterable, Iterator

PIECE = 64 * 1024  # bytes that go out together


def in_pieces(lines: Iterable[bytes], size: int = PIECE) -> Iterator[bytes]:
    """Join lines to pieces of about ``size`` bytes; a longer line is a piece of its own.

    >>> list(in_pieces([b"ab", b"cd", b"efghij", b"k"], 4))
    [b'abcd', b'efghij', b'k']
    """
    held, length = list[bytes](), 0
    for line in lines:
        held.append(line)
        length += len(line)
        if length >= size:
            yield b"".join(held)
            held, length = [], 0
    if held:
        yield b"".join(held)

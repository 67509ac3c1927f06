"""Lines of a kept file: written in chunks as they come, read again from any byte at which a line begins."""

from collections.abc import Callable, Iterable, Iterator

from holdfast.store import Store
from holdfast.store.file_chunks import CHUNK, drop_chunks, pack_chunk, write_chunks

AT_ONCE = 4  # chunks in one transaction
MARK = b"\xef\xbb\xbf"  # the byte order mark of UTF-8, which some editors write before everything else


def keep_lines(store: Store, file: str, lines: Iterable[bytes]) -> int:
    """Write lines as the content of a file, and count them. What ``lines`` raises leaves nothing behind."""
    count = 0

    def counted() -> Iterator[bytes]:
        nonlocal count
        for line in lines:
            count += 1
            yield line + b"\n"

    try:
        keep_content(store, file, counted())
    except BaseException:
        store.write(drop_chunks, file)
        raise
    return count


def keep_content(store: Store, file: str, pieces: Iterable[bytes]) -> None:
    """Write pieces of any size, one behind the other, as the content of a file."""
    first, packed = 0, list[bytes]()
    for chunk in chunks_of(pieces):
        packed.append(pack_chunk(chunk))
        if len(packed) == AT_ONCE:
            store.write(write_chunks, file, first, packed)
            first, packed = first + len(packed), []
    if packed:
        store.write(write_chunks, file, first, packed)


def chunks_of(pieces: Iterable[bytes], size: int = CHUNK) -> Iterator[bytes]:
    """Join and cut pieces into chunks of one size; the last may be shorter.

    >>> list(chunks_of([b"abc", b"de", b"fghij"], 4))
    [b'abcd', b'efgh', b'ij']
    """
    left = bytearray()
    for piece in pieces:
        left += piece
        while len(left) >= size:
            yield bytes(left[:size])
            del left[:size]
    if left:
        yield bytes(left)


def lines_from(read: Callable[[int], bytes | None], start: int, size: int = CHUNK) -> Iterator[tuple[bytes, int]]:
    r"""Yield each line from byte ``start`` on, without its end, and the byte at which the next one begins.

    ``read`` returns a chunk by its number, None behind the last.

    >>> list(lines_from([b"a\nbc", b"d\n\ne", None].__getitem__, 0, 4))
    [(b'a', 2), (b'bcd', 6), (b'', 7), (b'e', 8)]
    """
    number, skip = divmod(start, size)
    begun, at = list[bytes](), start
    while (chunk := read(number)) is not None:
        *ended, rest = chunk[skip:].split(b"\n")
        for part in ended:
            line = b"".join((*begun, part))
            begun, at = [], at + len(line) + 1
            yield line, at
        begun.append(rest)
        number, skip = number + 1, 0
    if last := b"".join(begun):
        yield last, at + len(last)


def lines_before(read: Callable[[int], bytes | None], end: int, size: int = CHUNK) -> int:
    """Count the lines that end before byte ``end``."""
    whole, part = divmod(end, size)
    chunks = [*range(whole), *([whole] if part else [])]
    return sum((read(number) or b"").count(b"\n", 0, part if number == whole else size) for number in chunks)

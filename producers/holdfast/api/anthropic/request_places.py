"""Where the requests of a batch begin and end in its body, found without parsing it.

Only strings and brackets are looked at, so a body of 256 MB costs no memory. What is found is no proof that the body is
JSON: each request is parsed when it is read. What stands around them is looked for in the way in which everybody writes
it, and whoever writes it otherwise has it parsed whole.
"""

import mmap
import re
from array import array
from collections.abc import Callable, Iterator

SPACE = b" \t\r\n"
BEGINNING = re.compile(rb'[ \t\r\n]*\{[ \t\r\n]*"requests"[ \t\r\n]*:[ \t\r\n]*\[')
ENDING = re.compile(rb"[ \t\r\n]*\}[ \t\r\n]*")
# A string, up to its end or that of the body; or a bracket. Possessive, so that no body makes it look twice.
TOKENS = re.compile(rb'(?P<string>"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z))|(?P<opens>[\[{])|(?P<closes>[\]}])', re.DOTALL)
AT_ONCE = 8 * 1024 * 1024  # bytes that are walked through before their memory is given back


class OddBody(Exception):
    """A body that has to be parsed: nothing is known of it."""


class RequestPlaces:
    """The requests of a body as slices of it."""

    def __init__(self, body: mmap.mmap, passed: Callable[[], None]) -> None:
        """Find them; ``passed`` is called every few megabytes. Raises OddBody."""
        self._body = body
        self._ends = array("Q")  # begin and end of each
        self._depth, self._behind = 0, _beginning(body)
        self._is_whole = False
        self._find(passed)

    def __len__(self) -> int:
        return len(self._ends) // 2

    def __iter__(self) -> Iterator[bytes]:
        ends = iter(self._ends)
        return (self._body[begin:end] for begin, end in zip(ends, ends, strict=True))

    def _find(self, passed: Callable[[], None]) -> None:
        take = {"string": self._string, "opens": self._opens, "closes": self._closes}
        told = self._behind
        for token in TOKENS.finditer(self._body, self._behind):
            take[token.lastgroup or ""](token.start(), token.end())
            if self._is_whole:
                return
            if token.end() - told >= AT_ONCE:
                told = token.end()
                passed()
        raise OddBody

    def _string(self, _start: int, _end: int) -> None:
        if not self._depth:
            raise OddBody

    def _opens(self, start: int, _end: int) -> None:
        if not self._depth:
            before = b"," if self._ends else b""
            if self._body[self._behind : start].strip(SPACE) != before or self._body[start : start + 1] != b"{":
                raise OddBody
            self._ends.append(start)
        self._depth += 1

    def _closes(self, _start: int, end: int) -> None:
        if self._depth:
            self._depth -= 1
            if not self._depth:
                self._ends.append(end)
                self._behind = end
            return
        if self._body[self._behind : end].strip(SPACE) != b"]" or not ENDING.fullmatch(self._body, end):
            raise OddBody
        self._is_whole = True


def _beginning(body: mmap.mmap) -> int:
    found = BEGINNING.match(body)
    if found is None:
        raise OddBody
    return found.end()

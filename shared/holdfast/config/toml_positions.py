"""On which line of a TOML text each key stands. ``tomllib`` does not say, and an error without a line is half an error.

The text must be valid TOML (``tomllib`` read it before); the scanner only walks it.
"""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)
_PLAIN = re.compile(r"[^,\]}#\n]+")


def key_lines(text: str) -> Mapping[Path, int]:
    """Map the path of every key, table and list element to the line (from 1) on which it first stands."""
    return _Scanner(text).scan()


def line_of(lines: Mapping[Path, int], path: Path) -> int | None:
    """Find the line of ``path``, or of the nearest table around it."""
    around = (path[:length] for length in range(len(path), 0, -1))
    return next((lines[outer] for outer in around if outer in lines), None)


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text, self._at = text, 0
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._lines: dict[Path, int] = {}
        self._last: dict[Path, int] = {}  # array of tables -> index of its newest element

    def scan(self) -> Mapping[Path, int]:
        table: Path = ()
        self._skip_blank()
        while self._at < len(self._text):
            if self._take("[["):
                table = self._header(element=True)
            elif self._take("["):
                table = self._header(element=False)
            else:
                self._pair(table)
            self._skip_blank()
        return self._lines

    def _header(self, *, element: bool) -> Path:
        self._skip_blank()
        path: Path = ()
        keys = self._keys()
        for depth, key in enumerate(keys, start=1):
            path = (*path, key)
            self._mark(path)
            if element and depth == len(keys):
                self._last[path] = self._last.get(path, -1) + 1
            if path in self._last:
                path = (*path, self._last[path])
                self._mark(path)
        self._skip_blank()
        self._at += 2 if element else 1
        return path

    def _pair(self, table: Path) -> None:
        path = table
        for key in self._keys():
            path = (*path, key)
            self._mark(path)
        self._skip_blank()
        self._at += 1  # the equals sign
        self._skip_blank()
        self._value(path)

    def _value(self, path: Path) -> None:
        if self._take("["):
            self._list(path)
        elif self._take("{"):
            self._inline_table(path)
        elif string := _STRING.match(self._text, self._at):
            self._at = string.end()
        elif plain := _PLAIN.match(self._text, self._at):
            self._at = plain.end()
        else:
            self._at += 1  # never in valid TOML; but a scanner must not stand still

    def _list(self, path: Path) -> None:
        index = 0
        while not self._closed("]"):
            element = (*path, index)
            self._mark(element)
            self._value(element)
            index += 1

    def _inline_table(self, path: Path) -> None:
        while not self._closed("}"):
            self._pair(path)

    def _closed(self, bracket: str) -> bool:
        self._skip_blank()
        self._take(",")
        self._skip_blank()
        return self._take(bracket) or self._at >= len(self._text)

    def _keys(self) -> list[str]:
        keys = [self._key()]
        self._skip_blank()
        while self._take("."):
            self._skip_blank()
            keys.append(self._key())
            self._skip_blank()
        return keys

    def _key(self) -> str:
        if bare := _BARE.match(self._text, self._at):
            self._at = bare.end()
            return bare.group()
        if quoted := _STRING.match(self._text, self._at):
            self._at = quoted.end()
            return _unquoted(quoted.group())
        self._at += 1
        return ""

    def _mark(self, path: Path) -> None:
        self._lines.setdefault(path, bisect_right(self._starts, self._at))

    def _skip_blank(self) -> None:
        blank = _BLANK.match(self._text, self._at)
        self._at = blank.end() if blank else self._at

    def _take(self, expected: str) -> bool:
        if self._text.startswith(expected, self._at):
            self._at += len(expected)
            return True
        return False


def _unquoted(key: str) -> str:
    try:
        return str(tomllib.loads(f"key = {key}")["key"])
    except tomllib.TOMLDecodeError:  # never in valid TOML; but a scanner must not fall
        return key

"""Reads the YAML that our manifests are written in: blocks, flow lists and maps, quotes, ``|`` texts, anchors, merges.

A small part of YAML, so that the tests need no parser of the whole; what lies outside it is refused.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

TOKEN = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[\[\]{},]|[^\[\]{},"']+)""")
KEY = re.compile(r"""^("[^"]*"|[^\s"'\[\]{}#&*|>][^"'#]*?):(?:\s+(.*))?$""")
COMMENT = re.compile(r"""^((?:[^"'#]|"(?:[^"\\]|\\.)*"|'[^']*'|(?<=\S)#)*?)(?:(?:^|\s)#.*)?$""")
PLAIN: dict[str, Any] = {"true": True, "false": False, "null": None, "": None}


def read_all(path: Path) -> list[Any]:
    """Every document of a file."""
    return [Reader(text).document() for text in re.split(r"(?m)^---\n", path.read_text())]


@dataclass
class Reader:
    """One document; ``lines`` are (number of blanks, text) without comments."""

    text: str
    at: int = 0
    anchors: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.raw = self.text.splitlines()

    def document(self) -> Any:
        return self.block(0)

    def peek(self) -> tuple[int, str] | None:
        """The next line that says something."""
        while self.at < len(self.raw):
            line = self.raw[self.at]
            match = COMMENT.match(line)
            said = match.group(1).rstrip() if match else line.rstrip()
            if said.strip():
                return len(said) - len(said.lstrip()), said.strip()
            self.at += 1
        return None

    def block(self, least: int) -> Any:
        found = self.peek()
        if found is None or found[0] < least:
            return None
        return self.sequence(found[0]) if found[1].startswith("- ") else self.mapping(found[0])

    def sequence(self, indent: int) -> list[Any]:
        items: list[Any] = []
        while (found := self.peek()) and found[0] == indent and found[1].startswith("- "):
            self.raw[self.at] = " " * (indent + 2) + found[1][2:].lstrip()
            inner = self.peek()
            assert inner is not None
            if KEY.match(inner[1]):
                items.append(self.mapping(indent + 2))
            else:
                self.at += 1
                items.append(flow(inner[1]))
        return items

    def mapping(self, indent: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        while (found := self.peek()) and found[0] == indent and (match := KEY.match(found[1])):
            self.at += 1
            key, value = match.group(1).strip('"'), self.value(indent, match.group(2) or "")
            if key == "<<":
                merged |= value
            else:
                assert key not in made, f"{key} is said twice"
                made[key] = value
        found = self.peek()
        assert found is None or found[0] < indent or found[1].startswith("- "), f"cannot read {found[1]!r}"
        return merged | made

    def value(self, indent: int, text: str) -> Any:
        if text.startswith("&"):
            name, _, rest = text[1:].partition(" ")
            self.anchors[name] = self.value(indent, rest)
            return self.anchors[name]
        if text.startswith("*"):
            return self.anchors[text[1:]]
        if text == "|":
            return self.literal(indent)
        if text:
            return flow(text)
        found = self.peek()
        deeper = found is not None and (found[0] > indent or (found[0] == indent and found[1].startswith("- ")))
        return self.block(indent) if deeper else None

    def literal(self, indent: int) -> str:
        taken: list[str] = []
        while self.at < len(self.raw) and (
            not self.raw[self.at].strip() or self.raw[self.at].startswith(" " * (indent + 1))
        ):
            taken.append(self.raw[self.at])
            self.at += 1
        margin = min(len(line) - len(line.lstrip()) for line in taken if line.strip())
        return "\n".join(line[margin:] for line in taken).rstrip() + "\n"


def flow(text: str) -> Any:
    """A scalar, or a list or map on one line."""
    if text[0] not in "[{":
        return scalar(text)
    value, rest = _flow(TOKEN.findall(text))
    assert not rest, f"cannot read {text!r}"
    return value


def _flow(tokens: list[str]) -> tuple[Any, list[str]]:
    first, tokens = tokens[0], tokens[1:]
    if first not in "[{":
        return scalar(first.strip()), tokens
    items: list[Any] = []
    made: dict[str, Any] = {}
    while tokens[0] not in "]}":
        if first == "[":
            item, tokens = _flow(tokens)
            items.append(item)
        else:
            key, _, plain = tokens[0].partition(":")
            tokens = ([plain.strip()] if plain.strip() else []) + tokens[1:]
            made[key.strip()], tokens = _flow(tokens)
        if tokens[0] == ",":
            tokens = tokens[1:]
    return (items if first == "[" else made), tokens[1:]


def scalar(text: str) -> Any:
    if text[:1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    if text[:1] == "'":
        return text[1:-1].replace("''", "'")
    if text in PLAIN:
        return PLAIN[text]
    return int(text) if re.fullmatch(r"-?\d+", text) else text

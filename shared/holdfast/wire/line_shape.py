"""Lines that are alike but for their names and texts, as the lines of a batch are.

Taking a line apart costs a fraction of reading it. Where a line of the same shape has been read before, all that was
found out about that one holds for this one too: which model, which route, what it may answer, and that nothing is wrong
with it. Only what cannot change any of this is a text here: a line that says anything in another way has another shape,
or none, and is read whole.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import orjson

LONGEST_LINE = 1_000_000  # bytes: of a longer one, the reading is not what costs
CONVERSATIONS = frozenset({"messages", "input"})
TEXTS = frozenset({"system", "instructions", "prompt"})  # each may also be something else, which belongs to the shape
Shape = tuple[Hashable, ...]
PROMPT: Shape = ("prompt",)  # of a text that is all of a job


class _Part(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["text", "input_text", "output_text"]
    text: str


class _Message(msgspec.Struct, forbid_unknown_fields=True):
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[_Part]


_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ANYTHING = msgspec.json.Decoder()
_TEXT = msgspec.json.Decoder(str)
_MESSAGES = msgspec.json.Decoder(list[_Message])


@dataclass(frozen=True, slots=True)
class ShapedLine:
    """A line, taken apart. Two lines of one ``shape`` differ in ``custom_id`` and ``texts`` alone.

    ``body``: of the request, as it was written; empty where it is a plain one.
    ``texts``: one at least, none blank. ``size``: bytes of the shape.
    """

    shape: Shape
    custom_id: str | None
    body: bytes
    texts: tuple[str, ...]
    size: int


def take_apart(line: bytes) -> ShapedLine | None:
    """Take apart a line of a batch API, or a plain one. None: it is said in a way that has to be read whole."""
    if len(line) > LONGEST_LINE:
        return None
    try:
        line.decode()  # what the parser skips, it does not decode
        return _take_apart(_MEMBERS.decode(line))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def take_dict_apart(line: dict[str, Any]) -> ShapedLine | None:
    """Take apart a line as a program holds it. None also where JSON would not give back the same: it is read whole."""
    try:
        written = orjson.dumps(line)
    except TypeError:
        return None
    shaped = take_apart(written)
    return shaped if shaped is not None and _ANYTHING.decode(written) == line else None


def _take_apart(members: dict[str, msgspec.Raw]) -> ShapedLine | None:
    key = "body" if "body" in members else "params"
    if key not in members:
        return _take_plain_apart(members)
    custom_id, body, texts = _name(members), bytes(members.pop(key)), list[str]()
    outside = [(name, bytes(value)) for name, value in members.items()]
    inside = [(name, _shape_of(name, bytes(value), texts)) for name, value in _MEMBERS.decode(body).items()]
    if custom_id == "" or not texts or any(not text or text.isspace() for text in texts):
        return None
    size = sum(len(value) for _, value in (*outside, *inside))
    return ShapedLine((key, custom_id is None, *outside, *inside), custom_id, body, tuple(texts), size)


def _take_plain_apart(members: dict[str, msgspec.Raw]) -> ShapedLine | None:
    if ("prompt" in members) == ("messages" in members):
        return None
    texts = list[str]()
    if "prompt" in members:
        said: Shape = ("prompt",)
        texts.append(_TEXT.decode(members.pop("prompt")))
    else:
        said = tuple(_shape_of_message(message, texts) for message in _MESSAGES.decode(members.pop("messages")))
    custom_id = _name(members)
    outside = [(name, bytes(value)) for name, value in members.items()]
    if not texts or any(not text or text.isspace() for text in texts):
        return None
    shape = ("plain", custom_id is None, said, *outside)
    return ShapedLine(shape, custom_id, b"", tuple(texts), sum(map(_size, outside)))


def _name(members: dict[str, msgspec.Raw]) -> str | None:
    """Take a line's name out of its members; a waiting call has none."""
    return _TEXT.decode(members.pop("custom_id")) if "custom_id" in members else None


def _size(member: tuple[str, bytes]) -> int:
    return len(member[1])


def _shape_of(name: str, value: bytes, texts: list[str]) -> bytes | Shape:
    """Return the shape of a body's member, and add to ``texts`` what is said in it."""
    if name in CONVERSATIONS and value[:1] == b"[":
        return tuple(_shape_of_message(message, texts) for message in _MESSAGES.decode(value))
    if value[:1] == b'"' and (name in CONVERSATIONS or name in TEXTS):
        texts.append(_TEXT.decode(value))
        return ("text",)
    return value


def _shape_of_message(message: _Message, texts: list[str]) -> Shape:
    if isinstance(message.content, str):
        texts.append(message.content)
        return (message.role,)
    texts.extend(part.text for part in message.content)
    return (message.role, *(part.type for part in message.content))

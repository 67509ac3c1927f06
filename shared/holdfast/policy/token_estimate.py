"""How many tokens a request will cost, before anybody counted them: bytes per character class.

Buckets settle with real usage afterwards, so an estimate only has to be near, and rather above than below.
"""

import json
from typing import Any

from holdfast.model.job import Need
from holdfast.model.request import Document, Image, Opaque, Part, Request, Text, Thought, ToolResult, ToolUse
from holdfast.model.written import WrittenRequest

DEFAULT_OUTPUT = 1_000  # tokens, where the request names no maximum
IMAGE = 1_600  # tokens: a picture of about a megapixel
DOCUMENT = 6_000  # tokens: a PDF of a few pages, each sent as text and as a picture
WITHOUT_OUTPUT = frozenset({"/embeddings", "/moderations", "/rerank"})  # endpoints whose answers are billed no tokens
PER_TURN = 4  # tokens of framing around a turn
ASCII_PER_TOKEN = 4.0  # characters
LATIN_PER_TOKEN = 2.5  # characters beyond ASCII, below U+0800: accents, Greek, Cyrillic, Arabic
OTHER_PER_TOKEN = 1.0  # CJK and the rest: about one token a character
BEYOND_ASCII = bytes(range(0x80, 0x100))  # in UTF-8, every byte of a character that is none of ASCII
BELOW_U0800 = bytes(range(0xE0))  # in UTF-8, every byte but the first of a character from U+0800 on


def estimate(request: Request) -> Need:
    """Estimate input and output tokens, both >= 1.

    The output is what the request allows at most. Which part of it a provider reserves is the gate's business:
    Anthropic none, OpenAI all.
    """
    return Need(max(1, round(input_tokens(request))), request.max_tokens or _default_output(request.written))


def input_tokens(request: Request) -> float:
    """Estimate what a request takes in. One without a neutral form is known by its length alone."""
    if request.written is not None and not request.turns:
        return passing_tokens(request.written.body)
    tokens = text_tokens(request.system or "")
    tokens += sum(PER_TURN + sum(_part(part) for part in turn.parts) for turn in request.turns)
    tokens += sum(text_tokens(f"{t.name} {t.description or ''}") + _json(t.parameters) for t in request.tools)
    if request.output is not None and request.output.json_schema is not None:
        tokens += _json(request.output.json_schema)
    return tokens + (_json(request.native) if request.native else 0.0)


def passing_tokens(body: bytes) -> float:
    return len(body) / ASCII_PER_TOKEN


def _default_output(written: WrittenRequest | None) -> int:
    if written is None or written.path.partition("?")[0] not in WITHOUT_OUTPUT:
        return DEFAULT_OUTPUT
    return 1


def text_tokens(text: str) -> float:
    """Estimate the tokens of a text.

    >>> text_tokens("four characters a token."), text_tokens("漢字")
    (6.0, 2.0)
    """
    if text.isascii():
        return len(text) / ASCII_PER_TOKEN
    written = text.encode("utf-8", "surrogatepass")  # to count bytes takes a hundredth of looking at each character
    ascii_, other = len(written.translate(None, BEYOND_ASCII)), len(written.translate(None, BELOW_U0800))
    latin = len(text) - ascii_ - other
    return ascii_ / ASCII_PER_TOKEN + latin / LATIN_PER_TOKEN + other / OTHER_PER_TOKEN


def _part(part: Part) -> float:
    match part:
        case Text():
            return text_tokens(part.text)
        case Image():
            return IMAGE
        case Document():
            return DOCUMENT
        case Thought() | Opaque():
            return _json(part.block)
        case ToolUse():
            return text_tokens(part.name) + _json(part.input)
        case ToolResult():
            return sum(_part(inner) for inner in part.parts)


def _json(value: Any) -> float:
    return text_tokens(json.dumps(value, ensure_ascii=False))

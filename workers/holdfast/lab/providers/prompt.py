"""What the simulated model is asked, whatever the wire format, and what it answers: a function of the prompt alone."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from holdfast.lab.providers.schema_instance import instance

BYTES_PER_TOKEN = 4
ECHO = 400  # characters of the prompt that an answer repeats


@dataclass(frozen=True, slots=True)
class Prompt:
    """``tool`` is the name and schema of the tool the model must call; ``schema`` the shape its text must have.

    ``inputs`` are texts to be embedded, ``packed``: as base64.
    """

    model: str
    text: str
    max_tokens: int | None = None
    schema: Mapping[str, Any] | None = None
    tool: tuple[str, Mapping[str, Any]] | None = None
    reasoning: bool = False
    inputs: tuple[str, ...] = ()
    packed: bool = False


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """An error answer, before a wire format gives it a shape. ``code`` is the machine-readable reason, if any."""

    status: int
    message: str
    code: str | None = None
    type: str | None = None
    retry_after: float | None = None


class RequestRefused(Exception):
    """Raised while a body is read that the provider would answer with 4xx."""

    def __init__(self, refusal: ErrorAnswer) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class SimAnswer:
    text: str
    input_tokens: int
    output_tokens: int
    cut: bool = False  # max_tokens ended it
    tool: tuple[str, dict[str, Any]] | None = None
    reasoning: bool = False
    inputs: tuple[str, ...] = ()
    packed: bool = False


def wrong(message: str, code: str | None = None) -> RequestRefused:
    return RequestRefused(ErrorAnswer(400, message, code))


def tokens(size: int) -> int:
    """Tokens of ``size`` bytes, at least one."""
    return max(1, -(-size // BYTES_PER_TOKEN))


def answer_text(prompt: str) -> str:
    """What the model says to ``prompt``.

    >>> answer_text("What is a queue?")
    'answer to What is a queue?'
    """
    return f"answer to {prompt[:ECHO]}"


def think(prompt: Prompt, body_size: int) -> SimAnswer:
    """Answer a prompt. ``body_size`` is the request's length in bytes, from which the input tokens are computed."""
    if prompt.inputs:
        return SimAnswer("", tokens(body_size), 0, inputs=prompt.inputs, packed=prompt.packed)
    seed = zlib.crc32(prompt.text.encode())
    text, tool = "", None
    if prompt.tool is not None:
        name, schema = prompt.tool
        made = instance(schema, answer_text(prompt.text), seed)
        tool = (name, made if isinstance(made, dict) else {})
        spoken = orjson.dumps(tool[1])
    elif prompt.schema is not None:
        spoken = orjson.dumps(instance(prompt.schema, answer_text(prompt.text), seed))
        text = spoken.decode()
    else:
        text = answer_text(prompt.text)
        spoken = text.encode()
    output = tokens(len(spoken))
    if prompt.max_tokens is not None and output > prompt.max_tokens:
        kept = spoken[: prompt.max_tokens * BYTES_PER_TOKEN].decode(errors="ignore")
        return SimAnswer(kept, tokens(body_size), prompt.max_tokens, cut=True, reasoning=prompt.reasoning)
    return SimAnswer(text, tokens(body_size), output, tool=tool, reasoning=prompt.reasoning)

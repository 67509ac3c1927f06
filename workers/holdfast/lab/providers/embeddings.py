"""OpenAI Embeddings, the provider's side. What it says of errors and limits is what Chat Completions says."""

import struct
import zlib
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from holdfast.lab.providers import chat
from holdfast.lab.providers.chat import OVERLOADED, RAMP, REQUEST_ID, SPEND, TOO_LONG, error, failed, limit_headers
from holdfast.lab.providers.prompt import Prompt, SimAnswer, wrong

PATH = "/v1/embeddings"
DIMENSIONS = 8
FIELDS = frozenset({"model", "input", "dimensions", "encoding_format", "user"})

__all__ = ["OVERLOADED", "PATH", "RAMP", "REQUEST_ID", "SPEND", "TOO_LONG", "error", "failed", "limit_headers"]


def read(body: Mapping[str, Any]) -> Prompt:
    """Read a request. Raises RequestRefused where the provider would answer 400."""
    for name in ("model", "input"):
        if not body.get(name):
            raise wrong(f"Missing required parameter: '{name}'.", "missing_required_parameter")
    for name in body.keys() - FIELDS:
        raise wrong(f"Unknown parameter: '{name}'.", "unknown_parameter")
    given = body["input"]
    inputs = [given] if isinstance(given, str) or isinstance(given[0], int) else given
    texts = tuple(str(each) for each in inputs)
    return Prompt(str(body["model"]), "\n".join(texts), inputs=texts, packed=body.get("encoding_format") == "base64")


def write(model: str, answer: SimAnswer, number: int) -> dict[str, Any]:  # noqa: ARG001 - the port's
    """Answer each input with a vector that follows from it alone."""
    vectors = [vector(text) for text in answer.inputs]
    data = [
        {"object": "embedding", "index": index, "embedding": packed(each) if answer.packed else each}
        for index, each in enumerate(vectors)
    ]
    usage = {"prompt_tokens": answer.input_tokens, "total_tokens": answer.input_tokens}
    return {"object": "list", "data": data, "model": model, "usage": usage}


def vector(text: str) -> list[float]:
    """Return a vector of a text.

    >>> vector("a") == vector("a"), vector("a") == vector("b"), len(vector(""))
    (True, False, 8)
    """
    return [zlib.crc32(text.encode(), place) / 2**32 for place in range(DIMENSIONS)]


def packed(values: list[float]) -> str:
    """Write a vector as little-endian floats of 32 bits in base64, as the API does on request."""
    return b64encode(struct.pack(f"<{len(values)}f", *values)).decode()


def refuse_to_answer(body: dict[str, Any]) -> dict[str, Any]:
    """No model declines to embed."""
    return body


def without_content(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "data": None}


def costs(prompt: Prompt, answer: SimAnswer) -> dict[str, float]:
    return {**chat.costs(prompt, answer), "output_tokens": 0}

"""OpenAI Chat Completions: ``POST /v1/chat/completions``, and the servers that speak it."""

from holdfast.wire.chat.flavour import AZURE, COMPATIBLE, GEMINI, OPENAI, Flavour, flavour_of
from holdfast.wire.chat.read import read_request
from holdfast.wire.chat.reply import read_reply, write_reply
from holdfast.wire.chat.write import write_request
from holdfast.wire.openai import CHAT as DIALECT

__all__ = [
    "AZURE",
    "COMPATIBLE",
    "DIALECT",
    "GEMINI",
    "OPENAI",
    "Flavour",
    "flavour_of",
    "read_reply",
    "read_request",
    "write_reply",
    "write_request",
]

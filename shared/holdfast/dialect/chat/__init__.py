"""OpenAI Chat Completions: ``POST /v1/chat/completions``, and the servers that speak it."""

from holdfast.dialect.chat.flavour import AZURE, COMPATIBLE, GEMINI, OPENAI, Flavour, flavour_of
from holdfast.dialect.chat.read import read_request
from holdfast.dialect.chat.reply import read_reply, write_reply
from holdfast.dialect.chat.write import write_request
from holdfast.dialect.openai import CHAT as DIALECT

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

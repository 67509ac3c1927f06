"""OpenAI Chat Completions: ``POST /v1/chat/completions``, and the servers that speak it."""

from holdfast.wire.chat.answer import write_answer, write_reply
from holdfast.wire.chat.read import read_request
from holdfast.wire.chat.reply import read_answer, read_reply
from holdfast.wire.chat.server_profile import AZURE, COMPATIBLE, GEMINI, OPENAI, ServerProfile, profile_of
from holdfast.wire.chat.write import write_request
from holdfast.wire.openai import CHAT as WIRE

__all__ = [
    "AZURE",
    "COMPATIBLE",
    "GEMINI",
    "OPENAI",
    "WIRE",
    "ServerProfile",
    "profile_of",
    "read_answer",
    "read_reply",
    "read_request",
    "write_answer",
    "write_reply",
    "write_request",
]

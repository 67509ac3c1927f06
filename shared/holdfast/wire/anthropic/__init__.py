"""Anthropic Messages: ``POST /v1/messages``, version 2026-10-21."""

from holdfast.wire.anthropic.answer import write_answer, write_reply
from holdfast.wire.anthropic.read import WIRE, read_request
from holdfast.wire.anthropic.reply import read_answer, read_reply
from holdfast.wire.anthropic.write import write_request

__all__ = ["WIRE", "read_answer", "read_reply", "read_request", "write_answer", "write_reply", "write_request"]

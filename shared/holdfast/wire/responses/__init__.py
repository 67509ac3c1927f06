"""OpenAI Responses: ``POST /v1/responses``."""

from holdfast.wire.openai import RESPONSES as WIRE
from holdfast.wire.responses.answer import write_answer, write_reply
from holdfast.wire.responses.read import read_request
from holdfast.wire.responses.reply import read_answer, read_reply
from holdfast.wire.responses.write import write_request

__all__ = ["WIRE", "read_answer", "read_reply", "read_request", "write_answer", "write_reply", "write_request"]

"""OpenAI Responses: ``POST /v1/responses``."""

from holdfast.dialect.openai import RESPONSES as DIALECT
from holdfast.dialect.responses.read import read_request
from holdfast.dialect.responses.reply import read_reply, write_reply
from holdfast.dialect.responses.write import write_request

__all__ = ["DIALECT", "read_reply", "read_request", "write_reply", "write_request"]

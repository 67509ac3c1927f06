"""Which format an answer has, told by its outermost keys: a body may have come from any route of a plan."""

import json
from typing import Any

import msgspec

from holdfast.model import exact_json
from holdfast.model.route import Api

LINE_ENDS = bytes.maketrans(b"\r\n", b"  ")


def format_of(body: bytes) -> Api | None:
    """Return the format of an answer to a prompt; None: it is of another endpoint, or no JSON object.

    >>> format_of(b'{"object": "chat.completion", "choices": []}'), format_of(b'{"object": "list", "data": []}')
    (<Api.OPENAI_CHAT: 'openai-chat'>, None)
    """
    members = _members(body)
    if "choices" in members and members.get("object") != b'"text_completion"':
        return Api.OPENAI_CHAT
    if members.get("object") == b'"response"' or ("output" in members and "status" in members):
        return Api.OPENAI_RESPONSES
    return Api.ANTHROPIC if members.get("type") == b'"message"' else None


def is_error_of(api: Api, body: bytes) -> bool:
    """Tell whether a body is an error as a format's API writes it."""
    members = _members(body)
    if "error" not in members:
        return False
    is_anthropic = members.get("type") == b'"error"'
    return is_anthropic if api is Api.ANTHROPIC else not is_anthropic and members["error"].startswith(b"{")


def one_line(body: bytes) -> bytes | None:
    """Return JSON without line ends, which stand between its values only. None: it is no JSON that a file can hold."""
    return body.translate(LINE_ENDS) if _is_text(body) and _is_json(body) else None


def _is_text(body: bytes) -> bool:
    try:
        return body.isascii() or bool(body.decode())
    except UnicodeDecodeError:
        return False


def _is_json(body: bytes) -> bool:
    """Tell whether a body is JSON, if with the infinities that some servers write."""
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return _parsed(body) is not None
    return True


def _members(body: bytes) -> dict[str, bytes]:
    try:
        return {key: bytes(raw) for key, raw in msgspec.json.decode(body, type=dict[str, msgspec.Raw]).items()}
    except (msgspec.DecodeError, RecursionError):
        parsed = _parsed(body)
        return {key: exact_json.dumps(value) for key, value in parsed.items()} if isinstance(parsed, dict) else {}


def _parsed(body: bytes) -> Any:
    try:
        return exact_json.loads(body, lenient=True)
    except json.JSONDecodeError:
        return None

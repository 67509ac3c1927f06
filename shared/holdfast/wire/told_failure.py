"""A failure that an answer tells of itself, under a status that says success."""

from collections.abc import Mapping
from typing import Any

from holdfast.wire.bad_answer import BadAnswer

WHY = "the provider told of a failure inside a 200."
CODES = ("code", "type", "status", "status_code")  # of an error object, the most telling first
WORDS = ("message", "status_msg", "msg", "detail")
NONE = ("", "error")  # no codes
SUCCESS = frozenset({"0", "200", "success", "ok", "true"})  # codes that tell of no failure


def refuse_told_failure(body: Any, *, answer: str) -> None:
    """Raise BadAnswer where ``body`` is no object, or says that it failed; what it says is kept for the table of codes.

    Args:
        body: Of a 200, parsed.
        answer: The key under which the format has its answer. A body without it may tell of a failure at its own top.
    """
    match body:
        case [{"error": dict() | str() as error}, *_]:  # Google's
            _refuse(error)
        case {"error": dict() | str() as error}:
            _refuse(error)
        case {"base_resp": dict(error)}:  # MiniMax's
            _refuse(error)
        case {"errors": [dict() | str() as error, *_]} if body.get(answer) is None:
            _refuse(error)
        case {"detail": str(error)} if body.get(answer) is None:
            _refuse(error)
        case dict() if body.get(answer) is None and any(isinstance(body.get(key), str) for key in WORDS):
            _refuse(body)
    if not isinstance(body, dict):
        raise BadAnswer("the answer is no JSON object.")


def _refuse(error: Mapping[str, Any] | str) -> None:
    """Raise BadAnswer with what an error says; nothing where it is empty, or says success."""
    if isinstance(error, str):
        if error:
            raise BadAnswer(WHY, told=error)
        return
    codes = [str(error[key]) for key in CODES if isinstance(error.get(key), str | int) and error[key] not in NONE]
    words = [error[key] for key in WORDS if isinstance(error.get(key), str) and error[key]]
    if (codes or words) and not (codes and SUCCESS.issuperset(code.lower() for code in codes)):
        raise BadAnswer(WHY, provider_code=codes[0][:100] if codes else None, told=words[0] if words else "")

"""Asking for an answer again, with what was wrong with the one before. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from holdfast.model import exact_json
from holdfast.model.job import MappingNote
from holdfast.model.request import Must, Request, Role, Text, Turn
from holdfast.model.route import Api
from holdfast.wire.written_body import slices

MOST_REPAIRS = 2
SHOWN = 20  # values of a set that are told
CONVERSATIONS: Mapping[Api, str] = {
    Api.ANTHROPIC: "messages",
    Api.OPENAI_CHAT: "messages",
    Api.OPENAI_RESPONSES: "input",
}


def repaired(request: Request, why: str, nth: int) -> tuple[Request, MappingNote]:
    """Return a request with one turn more, which says what was wrong, and what is told of that.

    Args:
        request: As it was handed in.
        why: The validator's words about the answer before.
        nth: Which repair this is, from 1 to ``MOST_REPAIRS``.
    """
    words = repair_prompt(request, why)
    turn = Turn(role=Role.USER, parts=(Text(text=words),))
    note = MappingNote("turns", f"one added, with what was wrong with the last answer: repair {nth} of {MOST_REPAIRS}")
    asked = request.model_copy(update={"turns": (*request.turns, turn)})
    if request.written is None:
        return asked, note
    body = _with_turn(request.written.body, CONVERSATIONS[request.written.api], words)
    return asked.model_copy(update={"written": replace(request.written, body=body)}), note


def repair_prompt(request: Request, why: str) -> str:
    """What the model is told: what was wrong, and every rule that its next answer has to keep."""
    rules = [f"- {rule_in_words(rule)}" for rule in request.must]
    asked = ["It has to keep these rules:", *rules] if rules else []
    again = "Answer again, with nothing but the answer itself."
    return "\n".join([f"An earlier answer of yours was not taken: {why}", *asked, again])


def rule_in_words(rule: Must) -> str:
    """Say what a rule asks.

    >>> rule_in_words(Must(json_path="$.a", one_of=("x", "y")))
    'what stands at $.a is one of "x", "y"'
    """
    subject = "it" if rule.json_path is None else f"what stands at {rule.json_path}"
    asked = [f"has the regular expression {rule.regex}"] if rule.regex is not None else []
    asked += [f"is at least {rule.min_length} long"] if rule.min_length is not None else []
    if rule.one_of is not None:
        shown = [exact_json.dumps(value).decode() for value in rule.one_of[:SHOWN]]
        asked.append(f"is one of {', '.join(shown)}{', …' if len(rule.one_of) > SHOWN else ''}")
    return f"{subject} {' and '.join(asked)}" if asked else f"it is JSON in which something stands at {rule.json_path}"


def _with_turn(body: bytes, key: str, words: str) -> bytes:
    """Put a turn of the user behind a conversation; all else stays byte for byte."""
    members = slices(exact_json.of_whole_characters(body))
    said: Any = exact_json.loads(bytes(members[key])) if key in members else []
    before = [{"role": "user", "content": said}] if isinstance(said, str) else said
    members[key] = msgspec.Raw(exact_json.dumps([*before, {"role": "user", "content": words}]))
    return msgspec.json.encode(members)

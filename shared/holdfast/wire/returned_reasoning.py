"""Reasoning of one provider inside of another one's format, so that a caller can send it back in its next turn.

The formats of Anthropic and of Responses have a text that callers return unread: a signature, ``encrypted_content``.
There the block stands as its provider sent it, behind a mark. When it returns it goes to that provider as it was; to
any other it is left out and told, for a provider refuses reasoning that it has not signed itself.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from holdfast.model import exact_json
from holdfast.model.request import Thought
from holdfast.model.route import Api

MARK = "holdfast-reasoning."
# Where each format's reasoning has its unread text.
UNREAD: Mapping[Api, tuple[str, ...]] = {
    Api.ANTHROPIC: ("signature", "data"),
    Api.OPENAI_RESPONSES: ("encrypted_content",),
}
CONVERSATIONS: Mapping[Api, str] = {Api.ANTHROPIC: "messages", Api.OPENAI_RESPONSES: "input"}
THINKING = frozenset({"thinking", "redacted_thinking", "reasoning"})  # types of blocks and items


def seal(wire: str, block: Mapping[str, Any]) -> str:
    """Return a text that stands for a block of the format ``wire``."""
    return MARK + urlsafe_b64encode(exact_json.dumps({"wire": wire, "block": block})).decode()


def unsealed(block: Mapping[str, Any], wire: str) -> Thought:
    """Return the reasoning that a block of the format ``wire`` holds: another provider's where it was sealed here."""
    return next(filter(None, (_opened(block.get(key)) for key in UNREAD[Api(wire)])), None) or Thought(
        dialect=wire, block=dict(block)
    )


def _opened(text: Any) -> Thought | None:
    if not isinstance(text, str) or not text.startswith(MARK):
        return None
    with suppress(ValueError):
        match exact_json.loads(urlsafe_b64decode(text.removeprefix(MARK))):
            case {"wire": str(wire), "block": dict(block)} if wire in set(Api):
                return Thought(dialect=wire, block=block)
    return Thought(dialect="another provider", block={})


def has_returned(body: bytes) -> bool:
    """Tell whether a body may hold reasoning that was sealed here."""
    return MARK.encode() in body


def without_returned(api: Api, conversation: Any) -> tuple[list[Any], list[str]]:
    """Return a conversation for its own format's provider without sealed reasoning of others, and its places."""
    kept: list[Any] = []
    left: list[str] = []
    for index, turn in enumerate(conversation if isinstance(conversation, list) else ()):
        place = f"{CONVERSATIONS[api]}[{index}]"
        if is_returned(turn, api):
            left.append(place)
            continue
        content = turn.get("content") if isinstance(turn, dict) else None
        blocks = content if isinstance(content, list) else []
        foreign = [at for at, block in enumerate(blocks) if is_returned(block, api)]
        left += [f"{place}.content[{at}]" for at in foreign]
        if not foreign:
            kept.append(turn)
        elif rest := [block for at, block in enumerate(blocks) if at not in foreign]:
            kept.append({**turn, "content": rest})
    return kept, left


def is_returned(block: Any, api: Api) -> bool:
    """Tell whether a block or an item is reasoning that was sealed here."""
    return (
        isinstance(block, dict)
        and block.get("type") in THINKING
        and any(str(block.get(key)).startswith(MARK) for key in UNREAD[api])
    )

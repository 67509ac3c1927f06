"""What can be told of a stored request unread: the readers and writers of all formats are slow to import."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from holdfast.model import exact_json
from holdfast.model.request import Role, Strictness
from holdfast.model.route import Api
from holdfast.store.codec import inflate
from holdfast.wire.endpoints import CHAT, MESSAGES, RESPONSES

ENVELOPE = b"\x01"  # begins a request as it was written: its terms as JSON, a line feed, its body, deflated when large
READ_ENDPOINTS = frozenset((endpoint.apis[0], endpoint.path) for endpoint in (CHAT, RESPONSES, MESSAGES))
PLAIN_FIELDS = {"turns", "system", "max_tokens", "temperature", "top_p"}
PLAIN_ROLES = {Role.USER, Role.ASSISTANT}


def read_head(body: bytes) -> tuple[dict[str, Any], int]:
    """Return what an envelope says of its body, and where that begins."""
    end = body.index(b"\n")
    return exact_json.loads(body[len(ENVELOPE) : end]), end + 1


def is_surely_carried(body: bytes, formats: Collection[Api]) -> bool:
    """Tell whether routes of these wire formats carry a request for certain; False: only its reading tells.

    One in the format of a route goes as it was written, and a plain text can be said in every format.
    """
    if not body.startswith(ENVELOPE):
        return bool(formats) and _is_plain(exact_json.loads(inflate(body)))
    about, _ = read_head(body)
    api, path = Api(about["api"]), about["path"].partition("?")[0]
    mapped = about["terms"].get("strictness") != Strictness.NEVER
    return mapped and api in formats and (api, path) in READ_ENDPOINTS


def _is_plain(request: Mapping[str, Any]) -> bool:
    turns = request.get("turns")
    if not turns or not request.keys() <= PLAIN_FIELDS or request.get("max_tokens") == 0:
        return False
    asks = turns[0]["role"] == turns[-1]["role"] == Role.USER
    return asks and bool(request.get("system", "-").strip()) and all(map(_is_plain_turn, turns))


def _is_plain_turn(turn: Mapping[str, Any]) -> bool:
    return turn["role"] in PLAIN_ROLES and not turn.get("native") and _are_plain(turn["parts"])


def _are_plain(parts: Sequence[Mapping[str, Any]]) -> bool:
    return bool(parts) and all(
        part["type"] == "text" and not part.get("native") and bool(part["text"].strip()) for part in parts
    )

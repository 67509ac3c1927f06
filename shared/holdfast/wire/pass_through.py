"""A request on its way to a route of its own format: the bytes that were written, but for what has to change.

Of the body's own keys only the model's name, what asks for an answer in parts, a maximum that the format demands or the
route has lowered, and what the route's server refuses are touched; each change but the model's name is told. All else
is sent byte for byte: order, spaces, integers of any size, and every key that nobody here has heard of.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec

from holdfast.model import exact_json
from holdfast.model.errors import Unmappable
from holdfast.model.job import MappingReport
from holdfast.model.route import Api
from holdfast.model.written import WrittenRequest
from holdfast.wire import anthropic, chat, responses
from holdfast.wire.anthropic.write import DEFAULT_MAX_TOKENS
from holdfast.wire.chat.adapt import adapt, answered_whole, touched
from holdfast.wire.mapping_report import QUEUED, MappingReportBuilder
from holdfast.wire.returned_reasoning import CONVERSATIONS, has_returned, without_returned
from holdfast.wire.written import endpoint_of

MESSAGES = "/v1/messages"
MAXIMA: Mapping[Api, tuple[str, ...]] = {
    Api.ANTHROPIC: ("max_tokens",),
    Api.OPENAI_CHAT: ("max_tokens", "max_completion_tokens"),
    Api.OPENAI_RESPONSES: ("max_output_tokens",),
}
PATHS = {MESSAGES: anthropic.WIRE, "/chat/completions": chat.WIRE, "/responses": responses.WIRE}
DECODER = msgspec.json.Decoder(dict[str, msgspec.Raw])
REPLACED = "\ufffd"
LARGE = 2**16  # bytes of a member that is sent from where it stands, not copied
Raws = dict[str, msgspec.Raw]
Pieces = Sequence[bytes | memoryview]


def pass_through(
    written: WrittenRequest,
    model: str,
    profile: chat.ServerProfile | None = None,
    *,
    ceiling: int | None = None,
) -> tuple[Pieces, MappingReport]:
    """Return the body for ``model``, and what of it had to change. Its large pieces are what was written, not copied.

    Args:
        written: As its producer wrote it; its body is a JSON object.
        model: The route's name of the model.
        profile: Of the route's server, where it speaks Chat Completions; None changes nothing for it.
        ceiling: The most tokens of an answer that the route takes, where its server has told so; None: not known.

    Raises: Unmappable: the body is no JSON object.
    """
    report = MappingReportBuilder(written.api)
    fields = _fields(written, report)
    opened = _opened(fields, written, model, profile)
    known = {key: exact_json.loads(bytes(fields[key])) for key in opened}
    made = _changed(known, written, model, profile, report)
    _leave_reasoning(made, written.api, report)
    if ceiling is not None:
        _lower(made, MAXIMA.get(written.api, ()), ceiling, report)
    return _joined(fields, known, {**made, "model": model}), report.report()


def _fields(written: WrittenRequest, report: MappingReportBuilder) -> Raws:
    """The members of the body. Half of a surrogate pair, which servers read in their own ways, is replaced and told."""
    with suppress(msgspec.DecodeError, UnicodeDecodeError):
        return DECODER.decode(written.body)
    try:
        fields = DECODER.decode(exact_json.of_whole_characters(written.body))
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Unmappable(written.api, "its body is no JSON object.") from None
    for key, raw in fields.items():
        if REPLACED in key or exact_json.REPLACEMENT in bytes(raw):
            report.change(key, "half of a surrogate pair is sent as U+FFFD, the mark of a character that is broken")
    return fields


def _opened(fields: Raws, written: WrittenRequest, model: str, profile: chat.ServerProfile | None) -> list[str]:
    """The keys whose values must be known, in their order."""
    keys = QUEUED | {"model", *MAXIMA.get(written.api, ())}
    if has_returned(written.body):
        keys |= {CONVERSATIONS.get(written.api, "")}
    if profile is not None and _is_chat(written):
        keys |= touched(model, profile)
    return [key for key in fields if key in keys]


def _is_chat(written: WrittenRequest) -> bool:
    return PATHS.get(endpoint_of(written)) == chat.WIRE


def _changed(
    known: Mapping[str, Any],
    written: WrittenRequest,
    model: str,
    profile: chat.ServerProfile | None,
    report: MappingReportBuilder,
) -> dict[str, Any]:
    if profile is not None and _is_chat(written):
        return adapt(known, model, profile, report)
    if endpoint_of(written) not in PATHS:
        return dict(known)
    made = answered_whole(known, report)
    if endpoint_of(written) == MESSAGES and made.get("max_tokens") is None:
        report.change("max_tokens", f"set to {DEFAULT_MAX_TOKENS}: Anthropic demands a maximum")
        made["max_tokens"] = DEFAULT_MAX_TOKENS
    return made


def _leave_reasoning(made: dict[str, Any], api: Api, report: MappingReportBuilder) -> None:
    """Leave out reasoning of other providers that a caller has sent back: this one would refuse the request for it."""
    key = CONVERSATIONS.get(api, "")
    if key in made:
        kept, left = without_returned(api, made[key])
        for place in left:
            report.change(place, "dropped: reasoning of another provider")
        made[key] = kept if left else made[key]


def _lower(made: dict[str, Any], keys: tuple[str, ...], ceiling: int, report: MappingReportBuilder) -> None:
    """Lower the maximum to what the route takes."""
    for key in keys:
        asked = made.get(key)
        if isinstance(asked, int) and asked > ceiling:
            report.change(key, f"lowered from {asked} to {ceiling}, the most that this route takes")
            made[key] = ceiling


def _joined(fields: Raws, known: Mapping[str, Any], made: Mapping[str, Any]) -> Pieces:
    """Put the body together: what did not change is the slice that was written."""
    kept: dict[str, msgspec.Raw] = {}
    names = _renamed(known, made)
    for key, raw in fields.items():
        name = names.get(key, key)
        if name in made:
            kept[name] = raw if key in known and _same(known[key], made[name]) else _raw(made[name])
        elif key not in known:
            kept[key] = raw
    added = {key: _raw(value) for key, value in made.items() if key not in kept}
    return tuple(_pieces(kept | added))


def _pieces(fields: Raws) -> Iterator[bytes | memoryview]:
    """An object: what is small put together, and each large member as it stands."""
    small = [b"{"]
    for place, (key, raw) in enumerate(fields.items()):
        small.append(b"%b%b:" % (b"," if place else b"", exact_json.dumps(key)))
        value = memoryview(raw)
        if len(value) < LARGE:
            small.append(bytes(value))
        else:
            yield b"".join(small)
            yield value
            small = []
    yield b"".join((*small, b"}"))


def _renamed(known: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, str]:
    """The keys that took another name in the same place."""
    gone, new = [key for key in known if key not in made], [key for key in made if key not in known and key != "model"]
    return dict(zip(gone[-1:], new, strict=False)) if gone and len(new) == 1 else {}


def _same(before: Any, after: Any) -> bool:
    return type(before) is type(after) and before == after


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(exact_json.dumps(value))

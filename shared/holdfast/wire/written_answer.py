"""An answer in the format that its caller asked in: the provider's own bytes, or all that the format can say of them.

What it cannot say is kept by its place in the provider's answer, for the ``holdfast`` member beside it.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from holdfast.model import exact_json
from holdfast.model.json_bounds import is_deeper
from holdfast.model.reply import Reply
from holdfast.model.route import Api
from holdfast.wire import anthropic, chat, responses
from holdfast.wire.answer_format import format_of, one_line
from holdfast.wire.answer_parts import AnswerText, Located, Path, ReadAnswer
from holdfast.wire.arguments import DEEPEST
from holdfast.wire.bad_answer import BadAnswer

READERS: Mapping[Api, Callable[[Any], ReadAnswer]] = {
    Api.ANTHROPIC: anthropic.read_answer,
    Api.OPENAI_CHAT: chat.read_answer,
    Api.OPENAI_RESPONSES: responses.read_answer,
}
WRITERS: Mapping[Api, Callable[[ReadAnswer, str, str, set[Path]], dict[str, Any]]] = {
    Api.ANTHROPIC: anthropic.write_answer,
    Api.OPENAI_CHAT: chat.write_answer,
    Api.OPENAI_RESPONSES: responses.write_answer,
}
FROM_READING: Mapping[Api, Callable[[Reply, str, int], dict[str, Any]]] = {
    Api.ANTHROPIC: anthropic.write_reply,
    Api.OPENAI_CHAT: chat.write_reply,
    Api.OPENAI_RESPONSES: responses.write_reply,
}
SAYS_REASONING = frozenset({Api.ANTHROPIC, Api.OPENAI_RESPONSES})
BLOCKS: frozenset[Path] = frozenset({(), ("content",), ("output",), ("choices",)})  # what is in them has a place each
CONTAINERS = (dict, list)
TOO_DEEP = "nested too deeply to be written here; it stands in the response"


@dataclass(frozen=True, slots=True)
class WrittenAnswer:
    """An answer as an API would have given it."""

    body: bytes = field(repr=False)
    """JSON without line ends: the provider's own bytes where it spoke that format."""
    holdfast: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What the format cannot say, for the ``holdfast`` member; empty where the body is the provider's own.

    ``answered_in`` (the provider's format), ``reasoning`` (in words) and ``opaque`` (values by their places in the
    provider's answer), each only where there is something to say.
    """


def write_answer(wanted: Api, reply: Reply, body: bytes | None, id_: str, created: int = 0) -> WrittenAnswer:
    """Write an answer in the format ``wanted``.

    Args:
        wanted: The format that the caller asked in.
        reply: The reading of the answer, as it is stored.
        body: What the provider answered, where it is kept; one of another endpoint is given out as it is.
        id_: Of the answer, without the format's prefix.
        created: When it was given, in seconds; what the provider tells goes before it.
    """
    answered = format_of(body) if body is not None else None
    if body is not None and answered in {wanted, None} and (own := one_line(body)):
        return WrittenAnswer(own)
    told = _read(answered, body) if answered is not None and body is not None else None
    if told is None or answered is None:
        return _from_reading(wanted, reply, id_, created)
    return _from_answer(wanted, _as_stored(told[0], reply, created), answered, told[1], id_)


def _read(answered: Api, body: bytes) -> tuple[ReadAnswer, Any] | None:
    """Take a body apart; None where the reader of today refuses what that of another version took."""
    try:
        parsed = exact_json.loads(body, lenient=True)
        return READERS[answered](parsed), parsed
    except (ValueError, BadAnswer):
        return None


def _as_stored(answer: ReadAnswer, reply: Reply, created: int) -> ReadAnswer:
    """Return the answer with the reading that is stored, whose text may have been unwrapped since, and with a date."""
    shared = {"created": Located(created, ()), **answer.shared}
    if reply.text == answer.reply.text:
        return replace(answer, reply=reply, shared=shared)
    spoken = [part for part in answer.parts if isinstance(part, AnswerText)]
    others = tuple(part for part in answer.parts if not isinstance(part, AnswerText))
    text = AnswerText(reply.text, is_refusal=any(part.is_refusal for part in spoken))
    return replace(answer, reply=reply, shared=shared, parts=(*others, text) if reply.text else others)


def _from_reading(wanted: Api, reply: Reply, id_: str, created: int) -> WrittenAnswer:
    """Write what is left where the body is not kept."""
    elsewhere = {wire: native for wire, native in reply.native.items() if wire != wanted}
    reasoning = reply.reasoning if wanted not in SAYS_REASONING else ""
    beside = {"reasoning": reasoning, "opaque": elsewhere}
    written = exact_json.dumps(FROM_READING[wanted](reply, id_, created))
    return WrittenAnswer(written, {key: value for key, value in beside.items() if value})


def _from_answer(wanted: Api, answer: ReadAnswer, answered: Api, body: Any, id_: str) -> WrittenAnswer:
    said: set[Path] = set()
    made = WRITERS[wanted](answer, answered, id_, said)
    opaque = {place_of(path): _writable(value) for path, value in left_of(body, said)}
    reasoning = answer.reply.reasoning if wanted not in SAYS_REASONING else ""
    beside = {"answered_in": answered.value, "reasoning": reasoning, "opaque": opaque}
    return WrittenAnswer(exact_json.dumps(made), {key: value for key, value in beside.items() if value})


def left_of(body: Any, said: set[Path]) -> Iterator[tuple[Path, Any]]:
    """Yield what of a body nobody has said: the largest values without anything that was. Null says nothing."""
    opened = {path[:steps] for path in said for steps in range(len(path))} | BLOCKS
    rest: list[tuple[Path, Any]] = [((), body)]
    while rest:
        path, value = rest.pop()
        if value is None or path in said:
            continue
        if not isinstance(value, CONTAINERS) or (value and path not in opened):
            yield path, value
        else:
            steps = list(value.items() if isinstance(value, dict) else enumerate(value))
            rest += [((*path, step), inner) for step, inner in reversed(steps)]


def place_of(path: Path) -> str:
    """Name a place in a body.

    >>> place_of(("content", 0, "signature"))
    'content[0].signature'
    """
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")


def _writable(value: Any) -> Any:
    return TOO_DEEP if is_deeper(value, DEEPEST) else _finite(value)


def _finite(value: Any) -> Any:
    """The value, with infinities and NaN, which JSON does not hold, as texts."""
    if isinstance(value, dict):
        return {key: _finite(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value

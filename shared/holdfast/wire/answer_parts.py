"""What an answer says, part by part and in its order: made by each format's reader, written by each format's writer.

Every value knows its place in the provider's body, so that what no writer has said of that body can be told.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import ToolUse

Path = tuple[str | int, ...]  # keys and indices, from the outermost object of a body

# Service tiers that both of OpenAI's formats name (openai 3.57, ChatCompletion and Response).
TIERS = ("auto", "default", "flex", "scale", "priority", "fast")
LATEST = 10**12  # seconds; a time that no answer has


@dataclass(frozen=True, slots=True)
class Located:
    """A value of an answer's body."""

    value: Any
    paths: tuple[Path, ...]
    """What of the body is said where the value is written."""


@dataclass(frozen=True, slots=True)
class WebCitation:
    """A page that a part of a text is taken from. ``start`` and ``end`` are characters of that text."""

    url: str
    title: str
    start: int
    end: int
    paths: tuple[Path, ...]

    def moved(self, by: int) -> "WebCitation":
        """Return the same citation in a text that begins ``by`` characters earlier."""
        return replace(self, start=self.start + by, end=self.end + by)


@dataclass(frozen=True, slots=True)
class AnswerText:
    """Words for the user; ``is_refusal`` where the provider marks them as the words of a refusal."""

    text: str
    paths: tuple[Path, ...] = ()
    is_refusal: bool = False
    citations: tuple[WebCitation, ...] = ()
    logprobs: Located | None = None
    """Of each token, as OpenAI's formats write them; None where there are none, or not in that shape."""


@dataclass(frozen=True, slots=True)
class AnswerReasoning:
    """Reasoning in words, empty where it is sealed; ``block`` is what its provider takes back in a next turn."""

    words: str
    block: Mapping[str, Any]
    paths: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerCall:
    """A call that the producer is to make; one of a custom tool has a text as its input."""

    use: ToolUse
    paths: tuple[Path, ...] = ()
    id_path: Path | None = None
    """Where its id stands; None where it was made up."""


AnswerPart = AnswerText | AnswerReasoning | AnswerCall


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """An answer as one format's reader took it apart."""

    reply: Reply
    parts: tuple[AnswerPart, ...]
    paths: tuple[Path, ...] = ()
    """What every format says in its own way: types and roles, the model, a plain end, the figures of ``usage``."""
    shared: Mapping[str, Located] = field(default_factory=dict)
    """What OpenAI's two formats have in common: ``created``, ``service_tier``, ``metadata``."""


def parts_of(reply: Reply) -> tuple[AnswerPart, ...]:
    """Return what a reading alone tells, where the body is no longer kept."""
    text = AnswerText(reply.text, is_refusal=reply.finish is Finish.REFUSED)
    thought = [AnswerReasoning(reply.reasoning, {})] if reply.reasoning else []
    return (*thought, *([text] if reply.text else []), *map(AnswerCall, reply.tool_calls))


def say_shared(answer: ReadAnswer, said: set[Path]) -> dict[str, Any]:
    """Return what OpenAI's formats have in common, and tell that it is said, with what every format says."""
    said.update(answer.paths, *(each.paths for each in answer.shared.values()))
    return {key: each.value for key, each in answer.shared.items()}


def joined(texts: Sequence[AnswerText]) -> AnswerText:
    """Return neighbours as one text, with their citations in their new places."""
    text, citations = "", list[WebCitation]()
    for each in texts:
        citations += (citation.moved(len(text)) for citation in each.citations)
        text += each.text
    paths = tuple(path for each in texts for path in each.paths)
    return AnswerText(text, paths, citations=tuple(citations), logprobs=_joined_logprobs(texts))


def _joined_logprobs(texts: Sequence[AnswerText]) -> Located | None:
    """Of all texts, or None where one of them has none: they would not tell which tokens are meant."""
    found = [each.logprobs for each in texts if each.logprobs is not None]
    if not found or len(found) < len(texts):
        return None
    return Located([token for each in found for token in each.value], tuple(p for each in found for p in each.paths))


def read_span(citation: Mapping[Any, Any]) -> tuple[int, int] | None:
    """Return where a citation begins and ends in its text; None: OpenAI's formats could not tell it so."""
    start, end = citation.get("start_index"), citation.get("end_index")
    return (start, end) if type(start) is int and type(end) is int else None


def read_logprobs(given: Any, path: Path) -> Located | None:
    """Return logprobs in the shape that OpenAI's formats share; None: there are none, or of another shape."""
    if not isinstance(given, list) or not given or not all(_is_logprob(each, "top_logprobs") for each in given):
        return None
    return Located(given, (path,))


def _is_logprob(token: Any, *lists: str) -> bool:
    match token:
        case {"token": str(), "logprob": float() | int() as logprob} if math.isfinite(logprob):
            inner = [token.get(key) for key in lists]
            return all(isinstance(each, list) and all(map(_is_logprob, each)) for each in inner)
    return False


def read_shared(body: Mapping[str, Any], created: str) -> dict[str, Located]:
    """Return what OpenAI's formats share at the top of a body; ``created`` is the key of the time."""
    tier, metadata = body.get("service_tier"), body.get("metadata")
    found = {
        "created": _whole(body.get(created)),
        "service_tier": tier if tier in TIERS else None,
        "metadata": metadata if _is_metadata(metadata) else None,
    }
    keys = {"created": created}
    return {name: Located(value, ((keys.get(name, name),),)) for name, value in found.items() if value}


def _whole(seconds: Any) -> int | None:
    """Seconds as both formats take them; None for what only one of them could say."""
    is_whole = isinstance(seconds, int | float) and 0 < seconds < LATEST and float(seconds).is_integer()
    return int(seconds) if is_whole else None


def _is_metadata(given: Any) -> bool:
    return isinstance(given, dict) and all(isinstance(value, str) for value in given.values())


def said_figures(usage: Any, path: Path, figures: Iterable[tuple[Path, int]]) -> list[Path]:
    """Return the places of figures that say what the reading says, and of those that say nothing: zeros.

    Args:
        usage: As the provider told it.
        path: Where it stands.
        figures: What the reading makes of some of its places.
    """
    agreed = [(*path, *place) for place, count in figures if _at(usage, place) == count]
    return agreed + [(*path, *place) for place in _zeros(usage)]


def figures_of(usage: Usage, input_key: str, output_key: str) -> list[tuple[Path, int]]:
    """The places of OpenAI's figures, and what a reading has for them."""
    read, written = f"{input_key}_details", f"{output_key}_details"
    return [
        ((input_key,), usage.input),
        ((output_key,), usage.output),
        (("total_tokens",), usage.input + usage.output),
        ((read, "cached_tokens"), usage.cached),
        ((read, "cache_write_tokens"), usage.cache_written),
        ((written, "reasoning_tokens"), usage.reasoning),
    ]


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _zeros(usage: Any, path: Path = ()) -> Iterable[Path]:
    for key, value in usage.items() if isinstance(usage, dict) and len(path) < len(("details", "figure")) else ():
        if value == 0:
            yield (*path, key)
        yield from _zeros(value, (*path, key))

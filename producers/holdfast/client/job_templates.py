"""Reading items that are like earlier ones: what was found out about the first of a shape holds for all of them.

The items of a batch differ in their texts, and so do those that come one by one. To read each whole, and to try how its
route would write it, takes ten times as long; this comes to the same, to which a test holds it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec

from holdfast.client.submit_request import Item, JobDefaults
from holdfast.model.ids import new_id
from holdfast.model.job import Need, lane_name
from holdfast.model.request import Part, Request, Text
from holdfast.model.storable import is_storable
from holdfast.policy.token_estimate import input_tokens, passing_tokens, text_tokens
from holdfast.store.new_job import CommonFields, common_fields
from holdfast.store.request_codec import TextCopies, WrittenCopies, encode_request, mark_text
from holdfast.wire.batch_line import ParsedLine
from holdfast.wire.line_shape import PROMPT, Shape, ShapedLine, take_apart, take_dict_apart

MOST_SHAPES = 64  # that are remembered at once: files of many models and tools have a few
LARGEST_SHAPE = 128 * 1024  # bytes of one that is remembered
MOST_DEFAULTS = 8  # for which shapes are remembered: programs submit with a few
LONGEST_NAME = 1_000  # characters of a custom id; a longer one is refused by whoever reads the item whole


@dataclass(slots=True, eq=False)
class ReadJob:
    """An item that can be accepted. ``line`` is of its shape: it may have another item's name and request.

    ``body`` and ``hash``: its request as it is stored.
    """

    line: ParsedLine
    custom_id: str | None
    need: Need
    body: bytes
    hash: str


@dataclass(frozen=True, slots=True, eq=False)
class JobTemplate:
    """What was found out about an item. ``fixed``: its tokens without its texts; None: its length alone counts."""

    line: ParsedLine
    need: Need
    fixed: float | None
    encode: Callable[[ShapedLine], tuple[bytes, str]]

    def read(self, shaped: ShapedLine) -> ReadJob:
        """Return what reading an item of this shape whole would."""
        tokens = passing_tokens(shaped.body) if self.fixed is None else self.fixed + sum(map(text_tokens, shaped.texts))
        need = Need(max(1, round(tokens)), self.need.output_tokens, self.need.avoid)
        return ReadJob(self.line, shaped.custom_id, need, *self.encode(shaped))


class JobTemplates:
    """The shapes of items that were read under one configuration and the same defaults."""

    def __init__(self) -> None:
        self._known: dict[Shape, JobTemplate] = {}

    def read(self, shaped: ShapedLine) -> ReadJob | None:
        """Return what reading an item whole would; None: none of its shape was read before, or its name is odd."""
        template, name = self._known.get(shaped.shape), shaped.custom_id
        if template is None or (name is not None and (len(name) > LONGEST_NAME or not is_storable(name))):
            return None
        return template.read(shaped)

    def learn(self, shaped: ShapedLine, line: ParsedLine, need: Need) -> None:
        """Remember what reading an item whole came to, where an item like it comes to the same at any time."""
        encode = encoder(shaped, line)
        if encode is None or shaped.size > LARGEST_SHAPE or line.not_before is not None:
            return
        if len(self._known) >= MOST_SHAPES:
            self._known.clear()
        fixed = None
        if line.request.turns:
            fixed = input_tokens(line.request) - sum(map(text_tokens, shaped.texts))
        self._known[shaped.shape] = JobTemplate(replace(line, request=_unread(line.request)), need, fixed, encode)


class TemplatesByDefaults:
    """The shapes of what one process submits. Safe to share between threads: what two of them learn is the same."""

    def __init__(self) -> None:
        self._of: dict[JobDefaults, JobTemplates] = {}

    def under(self, defaults: JobDefaults) -> JobTemplates:
        """Return those of items to which these defaults apply."""
        if len(self._of) > MOST_DEFAULTS:
            self._of.clear()
        return self._of.setdefault(defaults, JobTemplates())


class CommonFieldsByLine:
    """What the jobs of one submit have in common, encoded once for each line that they share.

    ``webhook`` is told of those that name none; ``longest``: seconds that a job may wait, whatever its line says.
    """

    def __init__(
        self,
        tenant: str,
        batch: str | None,
        traceparent: str | None,
        *,
        webhook: str | None = None,
        longest: float | None = None,
    ) -> None:
        self._tenant, self._batch, self._traceparent = tenant, batch, traceparent
        self._webhook, self._longest = webhook, longest
        self._known: dict[int, tuple[ReadJob, CommonFields]] = {}  # by the identity of lines, which are held

    def of(self, job: ReadJob) -> CommonFields:
        """Raises InvalidRequest: what cannot be stored."""
        found = self._known.get(id(job.line))
        if found is None:
            if len(self._known) >= MOST_SHAPES:
                self._known.clear()
            found = self._known[id(job.line)] = job, self._encode(job)
        return found[1]

    def _encode(self, job: ReadJob) -> CommonFields:
        line, longest, written = job.line, self._longest, job.line.request.written
        return common_fields(
            model=line.model,
            priority=line.priority,
            tenant=self._tenant,
            batch=self._batch,
            metadata=line.metadata,
            avoid=job.need.avoid,
            expires_in=line.expires_in if longest is None else min(line.expires_in or longest, longest),
            not_before=line.not_before,
            written_in=written.api if written else None,
            webhook=line.webhook or self._webhook,
            traceparent=self._traceparent,
        )


def shape_of(item: Item) -> ShapedLine | None:
    """Take an item apart. None: it says something in a way that has to be read whole."""
    if isinstance(item, str):
        return ShapedLine(PROMPT, None, b"", (item,), 0) if item.strip() and is_storable(item) else None
    if isinstance(item, dict):
        return take_dict_apart(item)
    return take_apart(bytes(item)) if isinstance(item, bytes | msgspec.Raw) else None


def read_whole(line: ParsedLine, need: Need) -> ReadJob:
    """Encode an item that was read whole. Raises InvalidRequest."""
    return ReadJob(line, line.custom_id, need, *encode_request(lane_name(line.model, line.priority), line.request))


def encoder(shaped: ShapedLine, line: ParsedLine) -> Callable[[ShapedLine], tuple[bytes, str]] | None:
    """Return what encodes the requests of items of this shape; None: what is sent is not what the item holds."""
    lane, written = lane_name(line.model, line.priority), line.request.written
    if written is not None:
        copies = WrittenCopies(lane, line.request)
        return (lambda alike: copies.encode(alike.body)) if written.body == shaped.body else None
    mark = new_id()
    marked = None if shaped.body else mark_texts(line.request, shaped.texts, mark)
    if marked is None:
        return None
    texts = TextCopies(lane, marked, mark)
    return lambda alike: texts.encode(alike.texts)


def mark_texts(request: Request, texts: Sequence[str], mark: str) -> Request | None:
    """Return a request with marks in the places of ``texts``; None: they are not its words, all and in their order.

    A system prompt that was the first message is the first text. One that stood elsewhere is no text of a turn.
    """
    said = [part.text for turn in request.turns for part in turn.parts if isinstance(part, Text)]
    lifted = request.system is not None and len(texts) == len(said) + 1
    words = [request.system, *said] if lifted else said
    if words != list(texts) or len(set(texts)) < len(texts):  # of equal ones nobody could tell which is which
        return None
    marks = iter([mark_text(mark, place) for place in range(len(texts))])
    system = next(marks) if lifted else request.system
    turns = tuple(turn.model_copy(update={"parts": _marked(turn.parts, marks)}) for turn in request.turns)
    return request.model_copy(update={"system": system, "turns": turns})


def _marked(parts: Sequence[Part], marks: Iterator[str]) -> tuple[Part, ...]:
    return tuple(part.model_copy(update={"text": next(marks)}) if isinstance(part, Text) else part for part in parts)


def _unread(request: Request) -> Request:
    """Leave the reading to whoever claims the job: what was written stays, and what may be done with it."""
    kept = ("max_tokens", "strictness", "on_refusal", "written_in", "must", "repair", "written")
    return Request(turns=(), **{name: getattr(request, name) for name in kept})

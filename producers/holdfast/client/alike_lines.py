"""Reading lines that are like earlier ones: what was found out about the first of a shape holds for all of them.

The lines of a batch differ in their texts. To read each of fifty thousand whole keeps a process busy for seconds; this
takes a fifth of that and comes to the same, to which a test holds it.
"""

from dataclasses import dataclass, replace

from holdfast.model.job import Need
from holdfast.model.request import Request
from holdfast.model.written import WrittenRequest
from holdfast.policy.token_estimate import input_tokens, passing_tokens, text_tokens
from holdfast.wire.batch_line import ParsedLine
from holdfast.wire.line_shape import Shape, ShapedLine

MOST_SHAPES = 64  # that are remembered at once: files of many models and tools have a few
LARGEST_SHAPE = 128 * 1024  # bytes of one that is remembered


@dataclass(frozen=True, slots=True)
class _Known:
    """What was found out about a line. ``fixed``: its tokens without its texts; None: its length alone counts."""

    line: ParsedLine
    written: WrittenRequest
    need: Need
    fixed: float | None


class AlikeLines:
    """The shapes of lines that were read under one configuration."""

    def __init__(self) -> None:
        self._known: dict[Shape, _Known] = {}

    def read(self, line: ShapedLine) -> tuple[ParsedLine, Need] | None:
        """Return what reading ``line`` whole would, its request unread; None: none of its shape was read before."""
        known = self._known.get(line.shape)
        if known is None:
            return None
        of = known.written
        written = WrittenRequest(of.api, of.path, line.body, of.headers)
        request = known.line.request.model_copy(update={"written": written})
        parsed = replace(known.line, custom_id=line.custom_id, request=request)
        return parsed, Need(_tokens(line, known.fixed), known.need.output_tokens, known.need.avoid)

    def learn(self, line: ShapedLine, read: ParsedLine, need: Need) -> None:
        """Remember what reading ``line`` whole came to, where a line like it comes to the same."""
        written = read.request.written
        if written is None or written.body != line.body or line.size > LARGEST_SHAPE:
            return  # what is sent is not what the line holds: an SDK's arguments were taken out of it
        if len(self._known) >= MOST_SHAPES:
            self._known.clear()
        fixed = None
        if read.request.turns:
            fixed = input_tokens(read.request) - sum(map(text_tokens, line.texts))
        self._known[line.shape] = _Known(replace(read, request=_unread(read.request)), written, need, fixed)


def _unread(request: Request) -> Request:
    """Leave the reading to whoever claims the job: what was written stays, and what may be done with it."""
    kept = ("max_tokens", "strictness", "on_refusal", "written_in", "must", "repair", "written")
    return Request(turns=(), **{name: getattr(request, name) for name in kept})


def _tokens(line: ShapedLine, fixed: float | None) -> int:
    counted = passing_tokens(line.body) if fixed is None else fixed + sum(map(text_tokens, line.texts))
    return max(1, round(counted))

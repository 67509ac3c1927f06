"""Ids of tool calls as a target takes them: unique in a conversation, each result with its call, always the same."""

import re
from collections import defaultdict, deque
from dataclasses import dataclass
from hashlib import sha256

from holdfast.model.request import Opaque, Part, Request, ToolResult, ToolUse
from holdfast.wire.mapping_report import MappingReportBuilder

NAMED = (ToolUse, ToolResult)  # parts with the id of a call
ALPHANUMERICS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class IdRule:
    """What a target takes as the id of a call; ``prefix`` and ``length`` are those of a stand-in."""

    pattern: re.Pattern[str]
    prefix: str
    length: int

    def fit(self, given: str) -> str:
        """Return the id itself where the target takes it, else the same stand-in for the same id."""
        return given if self.pattern.fullmatch(given) else self.stand_in(given, 0)

    def stand_in(self, given: str, nth: int) -> str:
        """Return the same id for the same one given; ``nth`` tells apart calls that were given the same."""
        number = int.from_bytes(sha256(f"{nth}:{given}".encode(errors="surrogatepass")).digest())
        digits: list[str] = []
        while len(digits) < self.length:
            number, digit = divmod(number, len(ALPHANUMERICS))
            digits.append(ALPHANUMERICS[digit])
        return self.prefix + "".join(digits)


# Anthropic answers 400 to others: "String should match pattern '^[a-zA-Z0-9_-]+$'" (tool_use.id).
ANTHROPIC_IDS = IdRule(re.compile(r"[A-Za-z0-9_-]{1,128}"), "toolu_", 24)
CHAT_IDS = IdRule(re.compile(r"(?s).{1,40}"), "call_", 24)  # "string too long. Expected … maximum length 40"
RESPONSES_IDS = IdRule(re.compile(r"(?s).{1,64}"), "call_", 24)  # the same words with 64, for call_id
# "Tool call id was … but must be a-z, A-Z, 0-9, with a length of 9" (mistral-common, InvalidToolCallId).
MISTRAL_IDS = IdRule(re.compile(r"[A-Za-z0-9]{9}"), "", 9)


class CallIds:
    """The ids of one conversation's calls, given out in order."""

    def __init__(self, rule: IdRule) -> None:
        self._rule = rule
        self._used: set[str] = set()
        self._open: dict[str, deque[str]] = defaultdict(deque)  # calls without a result yet, by the id given
        self._last: dict[str, str] = {}

    def of_call(self, given: str) -> str:
        """Return a new call's id: the one given where the target takes it and no other call has it."""
        nth, taken = 0, given
        while taken in self._used or not self._rule.pattern.fullmatch(taken):
            taken = self._rule.stand_in(given, nth)
            nth += 1
        self._used.add(taken)
        self._open[given].append(taken)
        self._last[given] = taken
        return taken

    def knows(self, given: str) -> bool:
        """Whether a call was given this id."""
        return given in self._last

    def of_result(self, given: str) -> str:
        """Return the id of the oldest call without a result that was given this id."""
        waiting = self._open[given]
        if waiting:
            return waiting.popleft()
        return self._last.get(given) or self._rule.fit(given)


def with_call_ids(request: Request, rule: IdRule, report: MappingReportBuilder) -> Request:
    """Return the request with ids that the target takes; each stand-in is told.

    Results go where their calls go: those of calls that only another format knows are left out with them.
    """
    if not any(isinstance(part, NAMED) for turn in request.turns for part in turn.parts):
        return request
    ids, left = CallIds(rule), left_behind(request, report.wire)
    turns = list(request.turns)
    for index, turn in enumerate(turns):
        named = (_named(part, ids, f"turns[{index}].parts[{at}]", report, left) for at, part in enumerate(turn.parts))
        parts = tuple(part for part in named if part is not None)
        if parts != turn.parts:
            turns[index] = turn.model_copy(update={"parts": parts})
    changed = any(new is not old for new, old in zip(turns, request.turns, strict=True))
    return request.model_copy(update={"turns": tuple(turns)}) if changed else request


def left_behind(request: Request, wire: str) -> frozenset[str]:
    """Return the ids of calls that ``wire`` cannot say."""
    foreign = (
        part.block for turn in request.turns for part in turn.parts if isinstance(part, Opaque) and part.wire != wire
    )
    return frozenset(str(block[key]) for block in foreign for key in ("id", "call_id") if block.get(key))


def _named(part: Part, ids: CallIds, place: str, report: MappingReportBuilder, left: frozenset[str]) -> Part | None:
    if not isinstance(part, NAMED):
        return part
    if isinstance(part, ToolResult) and part.id in left and not ids.knows(part.id):
        report.change(place, "dropped: the call that it answers is left out")
        return None
    taken = ids.of_call(part.id) if isinstance(part, ToolUse) else ids.of_result(part.id)
    if taken == part.id:
        return part
    report.change(f"{place}.id", "a stand-in, the same each time: the id is taken, or none that is taken there")
    return part.model_copy(update={"id": taken})

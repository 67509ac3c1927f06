"""What the blocks of one answer add up to. The formats say what each block is; what follows from it stands here."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from holdfast.model.fault import FaultKind
from holdfast.model.json_bounds import is_deeper
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.request import ToolUse
from holdfast.wire.answer_parts import AnswerCall, AnswerPart, AnswerReasoning, AnswerText, Located, Path, ReadAnswer
from holdfast.wire.arguments import DEEPEST, BrokenArguments, parse_arguments
from holdfast.wire.bad_answer import BadAnswer
from holdfast.wire.finishes import End
from holdfast.wire.mapping_report import MappingReportBuilder
from holdfast.wire.reading import natives

LONGEST_NAME = 200  # characters that are kept of a model's name, and of a block's type


class ReplyBuilder:
    """Gathers an answer block by block.

    Args:
        wire: The format that the answer is read from.
        what: What the format calls an answer, for errors.
        end: How it ended.
        name: What tells this answer from others, for ids of calls that brought none.
    """

    def __init__(self, wire: str, what: str, end: End, name: Any = None) -> None:
        self.report = MappingReportBuilder(wire)
        self.parts: list[AnswerPart] = []
        self.asks = False  # something in it waits for the producer to act
        self.is_refused = False  # it says so itself, with words or without
        self.holds_more = False  # something that is none of the above
        self._calls: list[ToolUse] = []
        self._wire, self._what, self._end, self._name = wire, what, end, name

    def unread(self, place: str, kind: Any) -> None:
        """Note a block that is known to nobody here."""
        self.holds_more = True
        named = kind[:LONGEST_NAME] if isinstance(kind, str) else "no type"
        self.report.change(f"reply.{place}", f"not read: {named}; it stands in the response as it came")

    def say(self, text: AnswerText) -> None:
        """Add words for the user."""
        self.is_refused = self.is_refused or text.is_refusal
        if text.text:
            self.parts.append(text)

    def think(self, words: list[str], block: Mapping[str, Any], *paths: Path) -> None:
        """Add reasoning, in words or sealed."""
        self.holds_more = True
        self.parts.append(AnswerReasoning("\n\n".join(filter(None, words)), block, paths))

    def call(
        self,
        given_id: Any,
        name: Any,
        arguments: Any,
        native: dict[str, Any],
        *paths: Path,
        as_text: bool = True,
    ) -> None:
        """Add the call of a tool, with arguments that the format has as JSON in a text, or as the object itself.

        ``paths`` are the places of its id, and then of what else of it every format says.

        Raises: BadAnswer: it cannot be made, which is the model's own slip.
        """
        self.asks = True
        try:
            read = parse_arguments(arguments, as_text=as_text)
        except BrokenArguments as error:
            self._slip(f"a call of a tool with {error}")
            return
        if read.note:
            self.report.change(f"{self._place}.input", read.note)
        self._add(given_id, name, read.value, native, paths)

    def call_with_text(self, given_id: Any, name: Any, text: Any, native: dict[str, Any], *paths: Path) -> None:
        """Add the call of a custom tool, which takes text as it is. Raises BadAnswer."""
        self.asks = True
        if isinstance(text, str):
            self._add(given_id, name, text, {"type": "custom", **native}, paths)
        else:
            self._slip("a call of a custom tool without text")

    @property
    def _place(self) -> str:
        """Of the next call, for notes."""
        return f"reply.tool_calls[{len(self._calls)}]"

    def _slip(self, what: str) -> None:
        """Leave out a call that cannot be made because the answer was cut there. Raises BadAnswer where it was not."""
        if self._end.finish is not Finish.LENGTH:
            raise BadAnswer(f"the {self._what} holds {what}.", FaultKind.BAD_OUTPUT)
        self.report.change(self._place, "left out: the answer was cut in it")

    def _add(
        self, given_id: Any, name: Any, value: dict[str, Any] | str, native: dict[str, Any], paths: tuple[Path, ...]
    ) -> None:
        if not isinstance(name, str) or not name:
            self._slip("a call without a tool's name")
            return
        kept = self._kept(native, self._place)
        use = ToolUse(id=self._id(given_id, name, value), name=name, input=value, native=kept)
        self._calls.append(use)
        self.parts.append(AnswerCall(use, paths[1:], paths[0] if paths and use.id == given_id else None))

    def _id(self, given: Any, *what: Any) -> str:
        """The call's id; a stand-in that no other answer has where it has none, or that of an earlier call."""
        if isinstance(given, str) and given and all(call.id != given for call in self._calls):
            return given
        self.report.change(f"{self._place}.id", "made up: the provider sent none, or the same one twice")
        seed = repr((self._name, len(self._calls), what))
        return f"call_{sha256(seed.encode()).hexdigest()[:24]}"

    def _kept(self, native: dict[str, Any], place: str) -> dict[str, dict[str, Any]]:
        if native and is_deeper(native, DEEPEST - 2):
            self.report.change(f"{place}.native", "left in the response: nested too deeply")
            return {}
        return natives(self._wire, native)

    def reply(self, model: Any, usage: Usage, native: dict[str, Any], choices: int = 1) -> Reply:
        """Return what was gathered. Raises BadAnswer: it has neither an end nor anything before it."""
        text, reasoning = self._text(), "\n\n".join(filter(None, self._reasoning()))
        spoken = bool(text or reasoning or self._calls)
        finish = self._finish(said=spoken or self.asks or self.holds_more)
        if spoken and not usage.output:
            usage = usage.model_copy(update={"estimated": True})
        return Reply(
            text=text,
            tool_calls=tuple(self._calls),
            reasoning=reasoning,
            finish=finish,
            finish_word=self._end.word,
            usage=usage,
            model=model[:LONGEST_NAME] if isinstance(model, str) else "",
            choices=choices,
            native=self._kept(native, "reply"),
            notes=self.report.report().notes,
        )

    def answer(self, reply: Reply, paths: list[Path], shared: Mapping[str, Located] | None = None) -> ReadAnswer:
        """Return the reply with its parts. ``paths``: what every format says of it besides."""
        return ReadAnswer(reply, tuple(self.parts), tuple(paths), shared or {})

    def _text(self) -> str:
        """What was said; of a refusal without other words, its own."""
        texts = [part for part in self.parts if isinstance(part, AnswerText)]
        spoken = "".join(part.text for part in texts if not part.is_refusal)
        return spoken or "".join(part.text for part in texts)

    def _reasoning(self) -> list[str]:
        return [part.words for part in self.parts if isinstance(part, AnswerReasoning)]

    def _finish(self, *, said: bool) -> Finish:
        """How it ended, in view of what it holds: what was refused was, and calls are an end of their own."""
        found = self._end.finish
        if self.is_refused:
            return Finish.REFUSED
        if found is None:
            if not said:
                raise BadAnswer(f"the {self._what} has no content and no end.")
            self.report.change("reply.finish", "taken as a stop: the provider told no reason of the end")
            found = Finish.STOP
        if self.asks and found in {Finish.STOP, Finish.OTHER}:
            return Finish.TOOL_CALLS
        if found is Finish.TOOL_CALLS and not self.asks:
            self.report.change("reply.finish", f"taken as a stop: {self._end.word}, but nothing is called")
            return Finish.STOP
        return found


def texts_of(parts: Any, key: str = "text") -> list[str]:
    """Return the texts that stand under ``key`` in a list of parts; none where it is no such list."""
    if not isinstance(parts, list):
        return []
    return [part[key] for part in parts if isinstance(part, dict) and isinstance(part.get(key), str)]


def left_of(block: Any, read: frozenset[str]) -> dict[str, Any]:
    """Return what stands in a block beside the fields that were read."""
    return {key: value for key, value in block.items() if key not in read and value is not None}

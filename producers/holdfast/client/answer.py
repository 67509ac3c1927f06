"""What a client gets for a job: the reply, or why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import orjson

from holdfast.client.errors import JobFailed
from holdfast.model.job import MappingNote, State
from holdfast.model.reply import Finish, Usage
from holdfast.model.request import ToolUse


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a job has no reply: ``kind`` is a fault's kind, ``cancelled`` or ``expired``."""

    kind: str
    message: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """How one job ended.

    ``text`` is None when there is no reply; then ``error`` says why. ``route`` is ``provider/model`` that answered,
    ``mapping`` what the way there changed or dropped of the request, ``reasoning`` the model's thinking as far as it
    was told. ``cost_usd`` None: no price is known. ``line`` is the whole as an output line.
    """

    id: str
    custom_id: str | None
    status: State
    text: str | None
    tool_calls: tuple[ToolUse, ...]
    reasoning: str
    finish: Finish | None
    usage: Usage | None
    model: str | None
    error: Problem | None
    route: str | None
    attempts: int
    cost_usd: float | None
    mapping: tuple[MappingNote, ...]
    line: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def read(cls, line: Mapping[str, Any]) -> Self:
        """Read an output line."""
        reply, error = line["reply"] or {}, line["error"]
        return cls(
            id=line["id"],
            custom_id=line["custom_id"],
            status=State(line["status"]),
            text=reply.get("text"),
            tool_calls=tuple(ToolUse.model_validate(call) for call in reply.get("tool_calls", ())),
            reasoning=reply.get("reasoning", ""),
            finish=Finish(reply["finish"]) if reply else None,
            usage=Usage.model_validate(reply["usage"]) if reply else None,
            model=reply.get("model"),
            error=Problem(error["kind"], error["message"], error["code"]) if error else None,
            route=line["route"],
            attempts=line["attempts"],
            cost_usd=line["cost_usd"],
            mapping=tuple(MappingNote(change["field"], change["note"]) for change in line["mapping"]),
            line=line,
        )

    @property
    def ok(self) -> bool:
        return self.status is State.SUCCEEDED

    def json(self) -> Any:
        """Parse the text as JSON, for jobs that asked for a shape. Raises JobFailed, ValueError."""
        return orjson.loads(self.required().text or "")

    def required(self) -> Self:
        """Return this answer if it has a reply. Raises JobFailed."""
        if self.error is not None:
            raise JobFailed(self.id, self.status.value, self.error.kind, self.error.message)
        return self

"""The provider-neutral reading of a request: policy decides by it, and other wire formats are written from it."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, InstanceOf

from holdfast.model.written import WrittenRequest


class Value(BaseModel):
    """A frozen value that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


# Fields that only one wire format knows, by its name (the ``api`` names of the configuration). They travel unchanged to
# a route of that format, and are dropped with a line in the mapping report (or refused) on any other.
Natives = dict[str, dict[str, Any]]


class Text(Value):
    type: Literal["text"] = "text"
    text: str
    native: Natives = Field(default_factory=dict)


class Image(Value):
    """A picture: ``data`` is base64 with a ``media_type``, or ``url`` names it. Exactly one of the two is set."""

    type: Literal["image"] = "image"
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    detail: str | None = None  # OpenAI's; lossy elsewhere
    native: Natives = Field(default_factory=dict)


class Document(Value):
    """A PDF or another file to read: ``data`` is base64 with a ``media_type``, or ``url`` names it. One of the two."""

    type: Literal["document"] = "document"
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    title: str | None = None  # or file name
    native: Natives = Field(default_factory=dict)


class ToolUse(Value):
    """The model's call of a tool. ``input`` is the parsed JSON object, or the text as it came where it is none."""

    type: Literal["tool_use"] = "tool_use"
    id: str
    name: str
    input: dict[str, Any] | str
    native: Natives = Field(default_factory=dict)


class Opaque(Value):
    """A block, item, message or tool that only one wire format knows, as it was written.

    It travels unchanged to a route of that format. On any other it is left out and told, or the route is refused where
    it is ``needed``: without it another question would be asked.
    """

    type: Literal["opaque"] = "opaque"
    wire: str
    block: dict[str, Any]
    where: str  # the place as its producer wrote it, with the block's type
    needed: bool = False
    as_turn: bool = False  # the block is a whole message or item, not a part of one


class ToolResult(Value):
    type: Literal["tool_result"] = "tool_result"
    id: str  # of the ToolUse it answers
    parts: tuple[Annotated[Text | Image | Document | Opaque, Field(discriminator="type")], ...]
    is_error: bool = False
    native: Natives = Field(default_factory=dict)


class Thought(Value):
    """Reasoning that its provider signed or sealed: bound to that wire format, left out (and noted) on any other."""

    type: Literal["thought"] = "thought"
    dialect: str
    block: dict[str, Any]  # as the provider sent it


Part = Annotated[Text | Image | Document | ToolUse | ToolResult | Thought | Opaque, Field(discriminator="type")]


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class Turn(Value):
    """What one side said. Tool results stand in user turns, tool uses in assistant turns."""

    role: Role
    parts: tuple[Part, ...]
    native: Natives = Field(default_factory=dict)


class Tool(Value):
    """A function that the model may call; ``parameters`` is a JSON Schema of type object."""

    name: str
    description: str | None = None
    parameters: dict[str, Any]
    strict: bool | None = None
    native: Natives = Field(default_factory=dict)


class ToolChoice(Value):
    """``mode`` tool needs ``name``."""

    mode: Literal["auto", "any", "none", "tool"] = "auto"
    name: str | None = None


class Output(Value):
    """The shape the answer must have: any JSON object, or one that satisfies ``json_schema``."""

    name: str = "answer"
    json_schema: dict[str, Any] | None = None  # None: any JSON object
    strict: bool | None = None
    description: str | None = None


class Must(Value):
    """One rule that an answer has to keep. With ``json_path`` it is about values in the answer, else about its text.

    A path alone asks that something stands there.
    """

    json_path: str | None = None  # $.names, [indices] and * for every one
    regex: str | None = None  # found somewhere in a text; without look-around and references back: linear in time
    min_length: int | None = Field(default=None, ge=1, le=1_000_000)  # of a text, in characters, or of an array
    one_of: tuple[Any, ...] | None = None


class Strictness(StrEnum):
    """What may be lost on the way to a route: nothing, what the report tells, or not even the way may be another."""

    EXACT = "exact"  # a route whose wire format cannot say everything is refused
    TOLERANT = "tolerant"  # what is changed or dropped stands in the report
    NEVER = "never"  # no mapping: routes of the format it was written in, or else the plan's first route


class OnRefusal(StrEnum):
    """What becomes of a job whose model refuses to answer."""

    KEEP = "keep"  # the refusal is the result
    REROUTE = "reroute"  # another provider is asked, where one can be asked now


class Request(Value):
    """One prompt, whole. ``turns`` is empty where its endpoint has no neutral form: embeddings, moderations, …"""

    turns: tuple[Turn, ...]
    system: str | None = None
    max_tokens: int | None = Field(default=None, ge=0)  # 0: Anthropic only warms its cache
    tools: tuple[Tool, ...] = ()
    provider_tools: tuple[Opaque, ...] = ()  # run by a provider, or of a kind that only its format knows
    tool_choice: ToolChoice | None = None
    parallel_tools: bool | None = None
    output: Output | None = None
    stop: tuple[str, ...] = ()
    temperature: float | None = None
    top_p: float | None = None
    effort: str | None = None  # none, minimal, low, medium, high, xhigh, max
    user: str | None = None  # the end user, opaque: metadata.user_id or safety_identifier
    user_key: str | None = None  # "user" where that older key of OpenAI's named the end user
    strictness: Strictness | None = None  # None: tolerant
    written_in: str | None = None  # the format of the line, where that matters: for ``never``, or a begun answer
    on_refusal: OnRefusal | None = None  # None: keep
    must: tuple[Must, ...] = ()  # what the answer has to keep besides ``output``
    repair: bool | None = None  # an answer that breaks output or must is asked for again with the reason
    native: Natives = Field(default_factory=dict)
    unread: tuple[str, ...] = ()  # places that the reader does not know, which only its own format can be sent
    # What this was read from, and what its own format is sent; None: it was written in the neutral form. Never
    # taken from JSON: the submit sets it.
    written: InstanceOf[WrittenRequest] | None = Field(default=None, exclude=True, repr=False)

"""What POST /jobs takes, as the OpenAPI document shows it. Bodies are read elsewhere, each job as it was written."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from holdfast.api.native.filters import PLAIN
from holdfast.api.native.submission import MOST_JOBS, MOST_PLACES
from holdfast.client.job_items import MOST_LABELS, MOST_OF_A_LABEL, MOST_OF_A_NAME, MOST_OF_AN_ID
from holdfast.config import Settings
from holdfast.model.bounds import MOST_TOKENS
from holdfast.model.job import Priority
from holdfast.model.request import OnRefusal
from holdfast.model.route import Api
from holdfast.model.start_time import FIRST_DATE, LAST_DATE, LONGEST
from holdfast.wire.must import LONGEST_REGEX, MOST_ALLOWED, MOST_RULES

DURATION = r"^([1-9][0-9]{0,4}(s|m)|[1-9][0-9]{0,3}h)$"
SAID = r"\S"
Said = Annotated[str, Field(pattern=SAID)]  # a provider takes no empty text
Words = Annotated[str, Field(pattern=PLAIN)]
Duration = Annotated[str, Field(pattern=DURATION)]
Seconds = Annotated[float, Field(gt=0, le=LONGEST)] | Duration
Date = (
    Annotated[float, Field(ge=FIRST_DATE, le=LAST_DATE)]
    | Annotated[str, Field(json_schema_extra={"format": "date-time"})]
)
Start = Annotated[float, Field(ge=0, le=LONGEST)] | Duration | Date
Label = Annotated[str, Field(max_length=MOST_OF_A_LABEL, pattern=PLAIN)]
CustomId = Annotated[str, Field(max_length=MOST_OF_AN_ID, pattern=PLAIN)]
LABELS = {"propertyNames": {"maxLength": MOST_OF_A_NAME, "pattern": PLAIN}}
Metadata = Annotated[dict[str, Label], Field(max_length=MOST_LABELS, json_schema_extra=LABELS)]
ToolName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
BatchId = Annotated[str, Field(pattern=r"^batch_[0-9a-f]{32}$")]


# What the document shows is narrower than what is taken: a pattern cannot tell a host's name from what is none.
SHOWN_URL = {"pattern": r"^https://([a-zA-Z][a-zA-Z0-9]{0,20}\.){1,9}[a-zA-Z]{2,10}(/[!$-;=?A-Z_a-z~]*)?$"}
WebhookUrl = Annotated[
    str,
    Field(
        max_length=2_000,
        pattern=r"^https?://[^\s@#\\]+$",
        description="told of the end by a signed POST",
        json_schema_extra=SHOWN_URL,
    ),
]


class RequestModel(BaseModel):
    """An object whose members are all known: an unknown one is refused."""

    model_config = ConfigDict(extra="forbid", protected_namespaces=())


class CarriedModel(BaseModel):
    """An object of which members that are not known here are carried to the providers that know them."""

    model_config = ConfigDict(extra="allow", protected_namespaces=())


TEXT_OF_A_PART: dict[str, Any] = {
    "if": {"properties": {"type": {"const": "text"}}},
    "then": {"required": ["text"], "properties": {"text": {"type": "string"}}},
}


class ChatMessage(CarriedModel):
    """What one side said."""

    role: Literal["user", "assistant"]
    content: str | Annotated[list["str | MessagePart"], Field(min_length=1)]


class MessagePart(CarriedModel):
    """A part of a message. Parts of other types than ``text`` are for the providers that know them."""

    model_config = ConfigDict(json_schema_extra=TEXT_OF_A_PART)

    type: str
    text: Any = None


class ToolFunction(CarriedModel):
    """What the model may call. ``parameters``: a JSON Schema of an object."""

    name: ToolName
    description: str | None = None
    parameters: dict[str, Any] | None = None


class FunctionTool(CarriedModel):
    """A function in the form of Chat Completions; those of Messages and Responses are taken, too."""

    type: Literal["function"]
    function: ToolFunction


class AnswerSchema(CarriedModel):
    """A JSON Schema, as its meta-schema has it."""

    type: Literal["object", "array", "string", "number", "integer", "boolean", "null"] | SkipJsonSchema[None] = None
    properties: dict[str, "AnswerSchema"] | SkipJsonSchema[None] = None
    required: Annotated[list[str], Field(json_schema_extra={"uniqueItems": True})] | SkipJsonSchema[None] = None


class NamedSchema(CarriedModel):
    """The JSON Schema that an answer must satisfy."""

    name: str | None = None
    schema_: AnswerSchema = Field(alias="schema")
    strict: bool | None = None


SCHEMA_TYPE: dict[str, Any] = {
    "if": {"properties": {"type": {"const": "json_schema"}}},
    "then": {"required": ["json_schema"], "properties": {"json_schema": {"type": "object"}}},
    "else": {"properties": {"json_schema": {"type": "null"}}},
}


class ResponseFormat(CarriedModel):
    """The form of the answer: any JSON object, one that satisfies a schema, or what only one provider knows."""

    model_config = ConfigDict(json_schema_extra=SCHEMA_TYPE)

    type: Literal["text", "json_object", "json_schema"] | Said
    json_schema: NamedSchema | None = None


# A whole answer is a text; what stands at a path may be anything.
ALLOWED: dict[str, Any] = {
    "minProperties": 1,
    "if": {"not": {"required": ["json_path"], "properties": {"json_path": {"type": "string"}}}},
    "then": {"properties": {"one_of": {"items": {"type": "string"}}}},
}
# The steps of ``must.STEP``, without what only a later version of this interface may take.
PATH = r"""^\$(\.([a-zA-Z_][a-zA-Z0-9_]*|\*)|\[([0-9]{1,9}|\*)\]|\['[^'\r\n]*'\]|\["[^"\r\n]*"\])*$"""


class AnswerRule(RequestModel):
    """A rule that an answer has to keep: of values at ``json_path``, which have to be there, else of its whole text."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=ALLOWED)

    json_path: Annotated[str, Field(json_schema_extra={"pattern": PATH})] | None = None
    regex: Annotated[str, Field(max_length=LONGEST_REGEX, json_schema_extra={"format": "regex"})] | None = None
    min_length: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    one_of: Annotated[list[Any], Field(min_length=1, max_length=MOST_ALLOWED)] | None = None


class JobBase(RequestModel):
    """What every job may say. ``expires_in``: seconds, or a duration such as ``5m``. ``not_before``: a date, or so.

    ``must``: rules that its answer has to keep; ``repair``: one that breaks them is asked for again, with the reason.
    ``on_refusal``: whether another provider is asked when a model refuses.
    """

    model: str = Field(max_length=300, description="an alias, provider/model, or the name of a model of some route")
    custom_id: CustomId | None = None
    priority: Priority | None = None
    expires_in: Seconds | None = None
    not_before: Start | None = None
    metadata: Metadata | None = None
    webhook: WebhookUrl | None = None
    must: Annotated[list[AnswerRule], Field(max_length=MOST_RULES)] | None = None
    repair: bool | None = None
    on_refusal: OnRefusal | None = None


def given(name: str, **schema: Any) -> dict[str, Any]:
    """Return the schema of objects that have a member, one that satisfies ``schema``: null is none."""
    return {"required": [name], "properties": {name: schema}}


PROMPT, MESSAGES = given("prompt", type="string"), given("messages", type="array")
BOTH: dict[str, Any] = {"allOf": [PROMPT, MESSAGES]}
NEITHER: dict[str, Any] = {"not": {"anyOf": [PROMPT, MESSAGES]}}
BREAKABLE = [
    given("must", type="array", minItems=1),
    given("response_format", type="object", **given("type", const="json_schema")),
    given("response_format", type="object", **given("type", const="json_object")),
]
UNBREAKABLE: dict[str, Any] = {"allOf": [given("repair", const=True), {"not": {"anyOf": BREAKABLE}}]}
# Told by what it is not: generators of clients take a choice for a union, and ``openapi.bounds_of`` adds an if.
ONE_REQUEST: dict[str, Any] = {"not": {"anyOf": [BOTH, NEITHER, UNBREAKABLE]}}


class JobRequest(JobBase):
    """One job: a ``prompt`` or ``messages``.

    Lines of OpenAI's and Anthropic's batch files (``body`` or ``params``) are taken as they are written there.
    """

    model_config = ConfigDict(json_schema_extra=ONE_REQUEST)

    prompt: str | None = None
    messages: Annotated[list[ChatMessage], Field(min_length=1)] | None = None
    system: str | None = None
    max_tokens: int | None = Field(default=None, ge=1, le=MOST_TOKENS)
    temperature: float | None = None
    tools: list[FunctionTool] | None = None
    response_format: ResponseFormat | None = None


class JobListRequest(RequestModel):
    """Many jobs. ``model``, ``priority``, ``expires_in`` and ``not_before`` are for those that say nothing.

    Without ``batch`` they become a new one called ``name``; with an id they join that batch, the first at position
    ``first``; with null they belong to none.
    """

    jobs: list[JobRequest] = Field(max_length=MOST_JOBS)
    model: str | None = Field(default=None, max_length=300)
    priority: Priority | None = None
    expires_in: Seconds | None = None
    not_before: Start | None = None
    batch: BatchId | None = None
    name: str = Field(default="", max_length=200, pattern=PLAIN)
    first: int = Field(default=0, ge=0, le=MOST_PLACES)
    webhook: WebhookUrl | None = None


class EstimateRequest(JobListRequest):
    """Many jobs to be estimated. What cannot be a job may stand among them: it becomes one of ``problems``."""

    jobs: list[Any] = Field(max_length=MOST_JOBS)


def body_of(*schemas: str) -> dict[str, Any]:
    """Return what the document says of a body that is one of ``schemas``."""
    content = {
        "schema": {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in schemas]},
        "examples": {
            "one": {"value": {"model": "smart", "prompt": "One line, please.", "custom_id": "a"}},
            "many": {"value": {"model": "smart", "jobs": [{"prompt": "One."}, {"prompt": "Two."}]}},
        },
    }
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


BODY = body_of("JobRequest", "JobListRequest")
ESTIMATE_BODY = body_of("JobRequest", "EstimateRequest")


def names_of(settings: Settings) -> list[str]:
    """List the names by which jobs may ask for the models of a configuration."""
    routes = [route for plan in settings.models.values() for route in plan.routes]
    return sorted({*settings.models, *(route.name for route in routes), *(route.model for route in routes)})


def strict_names_of(settings: Settings) -> list[str]:
    """List those that only Anthropic's format reaches, which takes less than the others: see ``openapi.bounds_of``."""
    plans = {name: settings.plan(name) for name in names_of(settings)}
    return [name for name, plan in plans.items() if all(route.api.wire is Api.ANTHROPIC for route in plan.routes)]

"""The OpenAPI document: what every operation answers and refuses, and by which names generated clients call it."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import cached_property
from typing import Any, Literal

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel

from holdfast.api.native.answers import ProblemDocument, ResultsPage
from holdfast.api.native.event_answers import EventsPage
from holdfast.api.native.job_requests import SAID, EstimateRequest, JobListRequest, JobRequest
from holdfast.api.problems import MEDIA_TYPE

Answers = dict[int | str, dict[str, Any]]
SCHEMAS = "#/components/schemas/"
REFUSALS: Mapping[int, str] = {
    400: "The body is no JSON that can be read.",
    401: "No API key, or one that is not known here.",
    403: "The key has not the scope that this needs, or a page of another site made the request.",
    404: "There is no such thing, or it belongs to another tenant.",
    408: "The body came too slowly.",
    409: "It is in a state in which this cannot be done.",
    410: "It was here, and has been deleted.",
    413: "The body is too large.",
    415: "The body is compressed.",
    422: "The request cannot be accepted; nothing was done.",
    429: "Too many requests without a good key came from this address; `Retry-After` says how long to wait.",
    500: "Something broke in the server; its log names the cause under the request id.",
    503: "The database does not answer, or there is no room; `Retry-After` says when to come again.",
}


def refusals(*statuses: int) -> Answers:
    """Document problem answers."""
    schema = {"$ref": f"{SCHEMAS}{ProblemDocument.__name__}"}
    return {
        status: {"description": REFUSALS[status], "content": {MEDIA_TYPE: {"schema": schema}}} for status in statuses
    }


def shown(model: type[BaseModel], *statuses: int, status: int = 200, more: Answers | None = None) -> dict[str, Any]:
    """Return what a route says of its answers: ``model``, and problems with ``statuses``. Neither costs a request."""
    about = {"model": model, "description": (model.__doc__ or "").partition("\n")[0]}
    return {"response_model": None, "responses": {status: about, **refusals(*statuses), **(more or {})}}


# What every operation that wants a key may answer.
UNNAMED: Sequence[tuple[type[BaseModel], Literal["serialization", "validation"]]] = (
    (ProblemDocument, "serialization"),
    (ResultsPage, "serialization"),
    (EventsPage, "serialization"),
    (JobRequest, "validation"),
    (JobListRequest, "validation"),
    (EstimateRequest, "validation"),
)
MODEL_NAMES = ("JobRequest", "Edit")  # schemas with a member ``model`` that has to be known
EVERYWHERE = refusals(400, 401, 403, 404, 408, 413, 415, 422, 429, 500, 503)


def name_operation(route: APIRoute) -> str:
    """Name an operation after its function, for generated clients. Names are unique: a test compares them."""
    return route.name


class ApiDocument:
    """The document of an application, made once, when it is first asked for.

    ``models``: the names of its models; ``strict``: those that only Anthropic's format reaches.
    """

    def __init__(self, app: FastAPI, models: Sequence[str], strict: Sequence[str]) -> None:
        self._app, self._models, self._strict = app, models, strict

    @cached_property
    def public(self) -> dict[str, Any]:
        """What every installation of this version has."""
        app = self._app
        return with_schemas(
            get_openapi(
                title=app.title,
                version=app.version,
                summary=app.summary,
                description=app.description,
                routes=app.routes,
            )
        )

    @cached_property
    def for_callers(self) -> dict[str, Any]:
        """The same with the models that jobs may ask for here, for those who show a key."""
        if not self._models:
            return self.public
        document = deepcopy(self.public)
        for schema in MODEL_NAMES:
            name_models(document["components"]["schemas"][schema]["properties"]["model"], self._models)
        if self._strict:
            document["components"]["schemas"][JobRequest.__name__] |= bounds_of(self._strict)
        return document


def name_models(member: dict[str, Any], models: Sequence[str]) -> None:
    """Say which models a member may name; it may still be null where it may be."""
    texts = [each for each in member.get("anyOf", [member]) if each.get("type") == "string"]
    for each in texts:
        each["enum"] = list(models)


def bounds_of(models: Sequence[str]) -> dict[str, Any]:
    """Say what conversations with such models are. It is narrower than what is taken: an assistant's turn may stand
    between two of the user's, parts may be images, and tools need only have different names, but a schema has no words
    for that.
    """
    said = {"type": "string", "pattern": SAID}
    text = {"type": "string"}
    prompt = {"if": text, "then": said}
    part = {"if": text, "then": said, "else": members(type={"const": "text"}, text=said)}
    content = {"if": text, "then": said, "else": {"minItems": 1, "items": part}}
    users = {"items": members(role={"const": "user"}, content=content)}
    parameters = members(type={"const": "object"})
    tools = {"maxItems": 1, "items": members(function=members(parameters=parameters))}
    bounds = members(prompt=prompt, messages=users, tools=tools, temperature={"minimum": 0, "maximum": 1})
    return {"if": members(model={"enum": list(models)}), "then": bounds}


def members(**schemas: Any) -> dict[str, Any]:
    """Return the schema of objects whose members, where they are there, are as told."""
    return {"properties": schemas}


def describe(app: FastAPI, models: Sequence[str], strict: Sequence[str]) -> None:
    """Have ``app`` show this document."""
    document = ApiDocument(app, models, strict)
    app.openapi = lambda: document.public  # type: ignore[method-assign] # as FastAPI's own guide has it
    app.state.document = document


def drop_null_defaults(schema: dict[str, Any]) -> None:
    """Leave out what says of an optional member that it is null by default: it is not there."""
    for member in schema.get("properties", {}).values():
        if member.get("default", 0) is None:
            del member["default"]


def with_schemas(document: dict[str, Any]) -> dict[str, Any]:
    """Add the schemas that no endpoint names as its model: problems and jobs."""
    schemas = document["components"]["schemas"]
    for model, mode in UNNAMED:
        schema = model.model_json_schema(ref_template=SCHEMAS + "{model}", mode=mode)
        schemas |= {**schema.pop("$defs", {}), model.__name__: schema}
    for each in schemas.values():
        drop_null_defaults(each)
    return document

"""A body of POST /jobs as an order: one job in any of the line forms, or a list of them."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from holdfast.api.body_limits import parse_json
from holdfast.client.backend import JobDefaults, SubmitRequest
from holdfast.model.durations import parse_duration
from holdfast.model.errors import InvalidRequest
from holdfast.model.job import Priority

MOST_JOBS = 10_000  # in one request
MOST_PLACES = 10**12  # in one batch; far beyond any, and within what SQL can count


def read_seconds(value: object) -> object:
    """Read a duration such as ``5m``; what is none is left to be refused as a number."""
    seconds = parse_duration(value) if isinstance(value, str) else None
    return value if seconds is None else seconds


class JobList(BaseModel):
    """Many jobs. ``model``, ``priority`` and ``expires_in`` hold for those that say nothing.

    Without ``batch`` they become a new one called ``name``; with an id they join that batch, the first at position
    ``first``; with null they belong to none.
    """

    model_config = ConfigDict(extra="forbid")

    jobs: list[dict[str, Any]] = Field(max_length=MOST_JOBS)
    model: str | None = None
    priority: Priority | None = None
    expires_in: Annotated[float, Field(gt=0, allow_inf_nan=False), BeforeValidator(read_seconds)] | None = None
    batch: str | None = None
    name: str = Field(default="", max_length=200)
    first: int = Field(default=0, ge=0, le=MOST_PLACES)


SCHEMA: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"anyOf": [{"type": "object"}, JobList.model_json_schema()]},
                "examples": {
                    "one": {"value": {"model": "smart", "prompt": "One line, please.", "custom_id": "a"}},
                    "many": {"value": {"model": "smart", "jobs": [{"prompt": "One."}, {"prompt": "Two."}]}},
                },
            }
        },
    }
}


def read_order(body: bytes, key: str | None) -> tuple[SubmitRequest, bool]:
    """Read a body; True where it is one job by itself. Raises InvalidRequest."""
    value = parse_json(body)
    if not isinstance(value, Mapping):
        raise InvalidRequest("body", "expected an object.", 'Send one job, or {"jobs": [...]}.')
    if "jobs" not in value:
        return SubmitRequest([value], key=key), True
    return order_of(read_list(value), key), False


def read_list(value: Mapping[str, Any]) -> JobList:
    try:
        return JobList.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidRequest(place or "body", f"{first['msg']}.") from None


def order_of(given: JobList, key: str | None) -> SubmitRequest:
    loose = "batch" in given.model_fields_set and given.batch is None
    return SubmitRequest(
        given.jobs,
        JobDefaults(given.model, given.priority, given.expires_in),
        many=not loose,
        name=given.name,
        batch=given.batch or None,
        first=given.first,
        key=key,
    )

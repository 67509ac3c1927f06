"""A body of POST /jobs as an order: one job in any of the line forms, or a list of them."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationError

from holdfast.api.body_limits import parse_json, split_object
from holdfast.api.native.filters import Number, check_storable
from holdfast.client.submit_request import JobDefaults, SubmitRequest
from holdfast.model.durations import parse_duration
from holdfast.model.errors import InvalidRequest
from holdfast.model.job import Priority
from holdfast.model.start_time import EXPECTED, StartTime, parse_start

MOST_JOBS = 10_000  # in one request
MOST_PLACES = 10**12  # in one batch; far beyond any, and within what SQL can count


def read_seconds(value: object) -> object:
    """Read a duration such as ``5m``; what is none is left to be refused as a number."""
    seconds = parse_duration(value) if isinstance(value, str) else None
    return value if seconds is None else seconds


def read_start(value: object) -> StartTime | None:
    """Read when jobs may start: see ``parse_start``."""
    start = parse_start(value)
    if value is not None and start is None:
        raise ValueError(f"expected {EXPECTED}")
    return start


Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False), Number, BeforeValidator(read_seconds)]


class ListOptions(BaseModel):
    """What holds for all jobs of a list; ``model`` down to ``not_before`` for those that say nothing.

    Without ``batch`` they become a new one called ``name``; with an id they join that batch, the first at position
    ``first``; with null they belong to none. ``webhook``: the URL that is told of the batch's end; of jobs that belong
    to none, of each one's.
    """

    model_config = ConfigDict(extra="forbid")

    model: str | None = None
    priority: Priority | None = None
    expires_in: Seconds | None = None
    not_before: Annotated[StartTime | None, PlainValidator(read_start)] = None
    batch: Annotated[str, Field(min_length=1)] | None = None
    name: Annotated[str, Field(max_length=200), AfterValidator(check_storable)] = ""
    first: Annotated[int, Field(ge=0, le=MOST_PLACES), Number] = 0
    webhook: str | None = None


def read_order(body: bytes, key: str | None) -> tuple[SubmitRequest, bool]:
    """Read a body; True where it is one job by itself. Raises InvalidRequest."""
    members = split_object(body)
    if "jobs" not in members:
        return SubmitRequest([body], key=key), True
    jobs = read_jobs(members.pop("jobs"))
    return order_of(jobs, read_options(members), key, names_batch="batch" in members), False


def read_jobs(written: msgspec.Raw) -> list[msgspec.Raw]:
    """Cut the list of jobs, each as it was written. Raises InvalidRequest."""
    try:
        jobs = msgspec.json.decode(written, type=list[msgspec.Raw])
    except msgspec.ValidationError:
        raise InvalidRequest("jobs", "expected a list of jobs.") from None
    if len(jobs) > MOST_JOBS:
        raise InvalidRequest("jobs", f"expected at most {MOST_JOBS:,} jobs, got {len(jobs):,}.", "Send them in parts.")
    return jobs


def read_options(members: Mapping[str, msgspec.Raw]) -> ListOptions:
    try:
        return ListOptions.model_validate({name: parse_json(bytes(value)) for name, value in members.items()})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InvalidRequest(place or "body", f"{first['msg']}.") from None


def order_of(jobs: Sequence[msgspec.Raw], about: ListOptions, key: str | None, *, names_batch: bool) -> SubmitRequest:
    return SubmitRequest(
        jobs,
        JobDefaults(about.model, about.priority, about.expires_in, about.not_before),
        many=not names_batch or about.batch is not None,
        name=about.name,
        batch=about.batch,
        first=about.first,
        key=key,
        webhook=about.webhook,
    )

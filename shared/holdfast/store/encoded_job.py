"""Jobs as their rows hold them: what takes time is done before a transaction begins."""

from dataclasses import dataclass

from holdfast.model.errors import InvalidRequest
from holdfast.model.ids import public_id
from holdfast.model.job import Need, NewJob, Priority
from holdfast.model.start_time import StartTime
from holdfast.model.storable import is_storable
from holdfast.model.webhook import endpoint_id
from holdfast.store.codec import encode_avoid, encode_labels
from holdfast.store.micros import to_micros
from holdfast.store.request_codec import encode_request


@dataclass(frozen=True, slots=True, eq=False)
class CommonFields:
    """What jobs of one submit may have in common. ``labels``, ``avoid`` and ``endpoint`` as they are stored."""

    tenant: str
    batch: str | None
    model: str
    lane: str
    priority: str
    labels: str | None
    avoid: str | None
    expires_in: int | None  # microseconds
    not_before: StartTime | None
    written_in: str | None
    webhook: str | None
    endpoint: str | None
    traceparent: str | None


@dataclass(slots=True, eq=False)
class EncodedJob:
    """One job. ``body`` is its request as it is stored, ``hash`` tells that from another one under the same key."""

    common: CommonFields
    id: str
    custom_id: str | None
    position: int | None
    idempotency_key: str | None
    need: Need
    body: bytes
    hash: str

    def __post_init__(self) -> None:
        refuse_unstorable(f"{self.custom_id}{self.idempotency_key}", "its custom_id or its key", self.id)


def encode_job(job: NewJob) -> EncodedJob:
    """Check and encode a job. Raises InvalidRequest for what one of the databases could not store."""
    body, hash_ = encode_request(job.lane, job.request)
    return EncodedJob(
        common_fields(job), job.id, job.custom_id, job.position, job.idempotency_key, job.need, body, hash_
    )


def common_fields(job: NewJob) -> CommonFields:
    """Encode what other jobs may have in common with this one."""
    names = {"tenant": job.tenant, "model": job.model}
    names |= {f"metadata {label!r}": label + value for label, value in job.metadata.items()}
    for field, text in names.items():
        refuse_unstorable(text, field, job.id)
    return CommonFields(
        tenant=job.tenant,
        batch=job.batch,
        model=job.model,
        lane=job.lane,
        priority=Priority(job.priority).value,
        labels=encode_labels(job.metadata),
        avoid=encode_avoid(job.need.avoid, 0) if job.need.avoid else None,
        expires_in=None if job.expires_in is None else to_micros(job.expires_in),
        not_before=job.not_before,
        written_in=job.request.written.api.value if job.request.written else None,
        webhook=job.webhook,
        endpoint=job.webhook and endpoint_id(job.tenant, job.webhook),
        traceparent=job.traceparent,
    )


def refuse_unstorable(text: str, field: str, job: str) -> None:
    """Refuse text that one of the databases cannot store. Raises InvalidRequest."""
    if not is_storable(text):
        problem = f"{field}: a NUL or half a character cannot be stored."
        raise InvalidRequest(public_id("job", job) if job else "job", problem, "Send Unicode text.")

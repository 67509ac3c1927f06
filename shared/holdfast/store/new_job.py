"""New jobs as their rows will hold them: what takes time is done before a transaction begins."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from holdfast.model.errors import InvalidRequest
from holdfast.model.ids import public_id
from holdfast.model.job import DEFAULT_TENANT, Need, Priority, lane_name
from holdfast.model.route import Api
from holdfast.model.start_time import StartTime
from holdfast.model.storable import is_storable
from holdfast.model.webhook import endpoint_id
from holdfast.store.codec import encode_avoid, encode_labels
from holdfast.store.micros import to_micros

NO_LABELS: Mapping[str, str] = MappingProxyType({})
AVOIDS_NONE: Mapping[str, float | None] = MappingProxyType({})


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
class NewJob:
    """One job. ``body`` is its request as it is stored, ``hash`` tells that from another one under the same key.

    Raises InvalidRequest: one of the databases could not store its names.
    """

    common: CommonFields
    id: str  # made by the producer before the first try, so that a submit that is repeated is the same job
    need: Need
    body: bytes
    hash: str
    custom_id: str | None = None
    position: int | None = None
    idempotency_key: str | None = None

    def __post_init__(self) -> None:
        _refuse_unstorable(f"{self.custom_id}{self.idempotency_key}", "its custom_id or its key", self.id)


def common_fields(
    *,
    model: str,
    priority: Priority = Priority.BATCH,
    tenant: str = DEFAULT_TENANT,
    batch: str | None = None,
    metadata: Mapping[str, str] = NO_LABELS,
    avoid: Mapping[str, float | None] = AVOIDS_NONE,
    expires_in: float | None = None,
    not_before: StartTime | None = None,
    written_in: Api | None = None,
    webhook: str | None = None,
    traceparent: str | None = None,
) -> CommonFields:
    """Encode what other jobs may have in common with one. ``expires_in`` in seconds from when it may start.

    Raises InvalidRequest: one of the databases could not store it.
    """
    names = {"tenant": tenant, "model": model}
    names |= {f"metadata {label!r}": label + value for label, value in metadata.items()}
    for field, text in names.items():
        _refuse_unstorable(text, field)
    return CommonFields(
        tenant=tenant,
        batch=batch,
        model=model,
        lane=lane_name(model, priority),
        priority=Priority(priority).value,
        labels=encode_labels(metadata),
        avoid=encode_avoid(avoid, 0) if avoid else None,
        expires_in=None if expires_in is None else to_micros(expires_in),
        not_before=not_before,
        written_in=written_in and written_in.value,
        webhook=webhook,
        endpoint=webhook and endpoint_id(tenant, webhook),
        traceparent=traceparent,
    )


def _refuse_unstorable(text: str, field: str, job: str = "") -> None:
    """Refuse text that one of the databases cannot store. Raises InvalidRequest."""
    if not is_storable(text):
        problem = f"{field}: a NUL or half a character cannot be stored."
        raise InvalidRequest(public_id("job", job) if job else "job", problem, "Send Unicode text.")

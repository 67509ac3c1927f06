"""Requests to what the tables hold, and back. Producers' text crosses here."""

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

from holdfast.model import exact_json
from holdfast.model.errors import InvalidRequest
from holdfast.model.job import NewJob
from holdfast.model.request import Must, OnRefusal, Request, Strictness
from holdfast.model.route import Api
from holdfast.model.written import WrittenRequest
from holdfast.store.codec import deflate, inflate
from holdfast.wire.written import reread

ENVELOPE = b"\x01"  # begins a request as it was written: its terms as JSON, a line feed, its body, deflated when large
# Fields of a Request that its line says, not its body.
TERMS: Mapping[str, Callable[[Any], Any]] = {
    "strictness": Strictness,
    "on_refusal": OnRefusal,
    "written_in": str,
    "must": lambda rules: tuple(map(Must.model_validate, rules)),
    "repair": bool,
}


def encode_request(job: NewJob) -> tuple[bytes, str]:
    """The request as it is stored, and the hash that tells a repeated submit from another job under the same key.

    What was written goes into an envelope byte for byte. The neutral form keeps the order of its keys, leaves empty
    fields out, and has the same hash in any order. Raises InvalidRequest for what is no JSON.
    """
    said = blake2b(job.lane.encode() + b"\0", digest_size=16)
    try:
        body = _neutral(job.request, said) if job.request.written is None else _envelope(job.request, said)
    except TypeError as error:
        raise InvalidRequest(f"job {job.id}", f"the request cannot be stored: {error}.") from None
    return body, said.hexdigest()


def encode_edited(request: Request) -> bytes:
    """A request as it is stored once an operator has changed it."""
    return _neutral(request, blake2b()) if request.written is None else _envelope(request, blake2b())


def _neutral(request: Request, said: blake2b) -> bytes:
    filled = {name: value for name, value in request.model_dump(mode="json").items() if value not in (None, [], {})}
    said.update(exact_json.canonical(filled))
    return deflate(exact_json.dumps(filled))


def _envelope(request: Request, said: blake2b) -> bytes:
    written = request.written
    assert written
    said_of_it = any(getattr(request, name) for name in TERMS)
    terms = request.model_dump(mode="json", include=set(TERMS), exclude_defaults=True) if said_of_it else {}
    about: dict[str, Any] = {"api": written.api, "path": written.path, "headers": dict(written.headers), "terms": terms}
    about["size"] = len(written.body)
    head = b"".join((ENVELOPE, exact_json.canonical(about), b"\n"))
    for part in (head, written.body):
        said.update(part)
    return head + deflate(written.body)


def decode_request(body: bytes) -> Request:
    """Read what ``encode_request`` of this version or of an earlier one has made. The reading is made anew."""
    if not body.startswith(ENVELOPE):
        return Request.model_validate_json(inflate(body))
    end = body.index(b"\n")
    about = exact_json.loads(body[len(ENVELOPE) : end])
    whole = inflate(memoryview(body)[end + 1 :], about["size"])
    written = WrittenRequest(Api(about["api"]), about["path"], whole, about["headers"])
    terms = {name: TERMS[name](value) for name, value in about["terms"].items()}
    return reread(written).model_copy(update=terms)

"""From a line to the request that it holds, byte for byte, less what an SDK would have put into headers or a query."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from holdfast.model import exact_json
from holdfast.model.errors import InvalidRequest
from holdfast.wire.fields import unexpected
from holdfast.wire.request_headers import read_headers, refuse_login, with_betas

Json = bytes | msgspec.Raw  # JSON as it was written
SDK_ARGUMENTS = ("extra_headers", "extra_query", "extra_body")  # of both SDKs, beside the parameters of the API
OWN_TERMS = "holdfast"  # a member of a body that says what else a line would: it is for us, and no provider is sent it


def parse_line(line: Json | Mapping[str, Any]) -> Mapping[str, Any]:
    """Parse a line that is JSON; one that has been parsed is itself. Raises InvalidRequest."""
    if not isinstance(line, bytes | msgspec.Raw):
        value: Any = line
    else:
        try:
            value = exact_json.loads(as_bytes(line))
        except json.JSONDecodeError as error:
            raise InvalidRequest("the request", f"is no JSON: {error.msg}.") from None
    if not isinstance(value, Mapping):
        raise unexpected("", "expected an object", value)
    return value


def refuse_half_characters(line: Json | Mapping[str, Any]) -> None:
    """Refuse half a surrogate pair, which no provider takes and no reading keeps as it is. Raises InvalidRequest."""
    text = b"" if isinstance(line, Mapping) else as_bytes(line)
    if rb"\u" in text and any(found[1] for found in exact_json.ESCAPES.finditer(text)):
        raise InvalidRequest("the request", "is no JSON of whole characters: it holds half a surrogate pair.")


def as_bytes(line: Json) -> bytes:
    return line if isinstance(line, bytes) else bytes(line)


def written_member(line: Json | Mapping[str, Any], key: str) -> bytes:
    """Return a member of a line as it was written; of one that is a Python object, as JSON with its keys in order.

    Raises: InvalidRequest: JSON has no way to write it.
    """
    if isinstance(line, Mapping):
        return write_json(line[key], key)
    return bytes(slices(line)[key])


def write_json(value: Any, where: str) -> bytes:
    """Write what a program holds as JSON. Raises InvalidRequest: odd keys, objects, NaN."""
    try:
        written = exact_json.dumps(value)
        if b"NaN" in written or b"Infinity" in written:
            exact_json.loads(written)
    except (TypeError, ValueError) as error:
        raise InvalidRequest(where, f"cannot be written as JSON: {error}.") from None
    return written


def slices(written: Json) -> dict[str, msgspec.Raw]:
    """Return the members of a JSON object, each as the slice of bytes that it was written in."""
    return msgspec.json.decode(written, type=dict[str, msgspec.Raw])


class SdkArguments:
    """What a body says that an SDK sends otherwise: ``headers``, ``query``, and fields that it merges into the body.

    ``terms``: what it says to us. They may stand in the body, or among the fields that are merged into it.
    """

    def __init__(self, body: Mapping[str, Any], where: str, *, betas: bool) -> None:
        names = (*SDK_ARGUMENTS, OWN_TERMS, "betas") if betas else (*SDK_ARGUMENTS, OWN_TERMS)
        self.taken = frozenset(name for name in names if name in body)
        self.headers = read_headers(body.get("extra_headers"), f"{where}.extra_headers")
        if betas:
            self.headers = with_betas(self.headers, body.get("betas"), f"{where}.betas")
        self.more = dict(_object(body.get("extra_body"), f"{where}.extra_body"))
        self.terms = _object(self.more.pop(OWN_TERMS, None) or body.get(OWN_TERMS), f"{where}.{OWN_TERMS}")
        self.query = urlencode(_object(body.get("extra_query"), f"{where}.extra_query"), doseq=True)
        refuse_login(self.query, f"{where}.extra_query")

    def parsed(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the body as it will be sent."""
        if not self.taken:
            return body
        return {key: value for key, value in body.items() if key not in self.taken} | self.more

    def sliced(self, body: bytes) -> bytes:
        """Return the same in bytes: what stays is as it was written."""
        if not self.taken:
            return body
        left = slices(body)
        more = slices(bytes(left["extra_body"])) if self.more else {}
        kept = {key: value for key, value in left.items() if key not in self.taken}
        return msgspec.json.encode(kept | {key: more[key] for key in self.more})


def _object(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise unexpected(where, "expected an object", value)
    return value

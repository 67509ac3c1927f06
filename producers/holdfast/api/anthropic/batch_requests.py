"""The body of a new message batch: cut into its requests where it lies on the disk, each as it was written.

What is wrong with the batch itself refuses it, as Anthropic's API does; what is wrong with the parameters of a request
becomes its own error later. A body may have 256 MB: it is mapped from its file, never held, and what has been
walked through is given back to the system.
"""

import mmap
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import IO

import msgspec

from holdfast.api.anthropic.request_places import OddBody, RequestPlaces
from holdfast.model.errors import InvalidRequest
from holdfast.wire.answer_format import LINE_ENDS
from holdfast.wire.request_headers import BETAS, join_betas

MOST_REQUESTS = 100_000
CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")  # of Anthropic's API reference
GIVE_BACK = 8 * 1024 * 1024  # bytes that are read before their memory is given back
Members = dict[str, msgspec.Raw]


def read_requests(file: IO[bytes]) -> "BatchRequests":
    """Find the requests of a body that was written to ``file``, which may be closed then. Raises InvalidRequest."""
    if not file.seek(0, os.SEEK_END):
        raise InvalidRequest("body", "is empty; expected an object with requests.")
    return BatchRequests(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


class BatchRequests:
    """The requests of one body, in order."""

    def __init__(self, body: mmap.mmap) -> None:
        self._body = body
        self._requests = self._find()
        if not 0 < len(self._requests) <= MOST_REQUESTS:
            problem = f"expected 1 to {MOST_REQUESTS:,} requests, got {len(self._requests):,}."
            raise InvalidRequest("requests", problem)

    def _find(self) -> RequestPlaces | list[msgspec.Raw]:
        try:
            return RequestPlaces(self._body, self._give_back)
        except OddBody:
            return _parse(self._body)
        finally:
            self._give_back()

    def lines(self, headers: Mapping[str, str]) -> Iterator[bytes]:
        """Yield each request as an input line, without its end. ``headers`` of the batch hold for all of them.

        Raises: InvalidRequest: a request has no custom_id, one that another has, or no parameters.
        """
        seen, read = set[str](), 0
        for index, request in enumerate(self._requests):
            line = bytes(request)
            members = _members(line, index)
            _demand_new(custom_id(members, index), seen, index)
            yield with_headers(line, members, headers).translate(LINE_ENDS)
            read += len(line)
            if read >= GIVE_BACK:
                self._give_back()
                read = 0

    def _give_back(self) -> None:
        with suppress(OSError, ValueError):
            self._body.madvise(mmap.MADV_DONTNEED)


def _parse(body: mmap.mmap) -> list[msgspec.Raw]:
    """Find the requests of a body that is written in an odd way. Raises InvalidRequest: what is wrong with it."""
    try:
        members = msgspec.json.decode(body, type=Members)
        if unknown := sorted(members.keys() - {"requests"}):
            raise InvalidRequest(unknown[0][:60], "Extra inputs are not permitted.")
        if "requests" not in members:
            raise InvalidRequest("requests", "Field required.")
        return msgspec.json.decode(members["requests"], type=list[msgspec.Raw])
    except msgspec.ValidationError:
        raise InvalidRequest("requests", "expected an object with an array of requests.") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidRequest("body", f"is no JSON: {error}.") from None


def _members(line: bytes, index: int) -> Members:
    try:
        members = msgspec.json.decode(line, type=Members)
    except msgspec.ValidationError:
        raise InvalidRequest(f"requests.{index}", "expected an object.") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidRequest(f"requests.{index}", f"is no JSON: {error}.") from None
    if bytes(members.get("params", msgspec.Raw(b"null")))[:1] != b"{":
        raise InvalidRequest(f"requests.{index}.params", "Field required: an object of parameters.")
    return members


def custom_id(members: Members, index: int) -> str:
    """Read the name of a request. Raises InvalidRequest."""
    place = f"requests.{index}.custom_id"
    if "custom_id" not in members:
        raise InvalidRequest(place, "Field required.")
    try:
        name = msgspec.json.decode(members["custom_id"], type=str)
    except msgspec.DecodeError:
        raise InvalidRequest(place, "expected a text.") from None
    if not CUSTOM_ID.fullmatch(name):
        raise InvalidRequest(place, "expected 1 to 64 letters, digits, _ or -.")
    return name


def _demand_new(name: str, seen: set[str], index: int) -> None:
    if name in seen:
        problem = f"{name} is the custom_id of an earlier request. Each must be unique within its batch."
        raise InvalidRequest(f"requests.{index}.custom_id", problem)
    seen.add(name)


def with_headers(line: bytes, members: Members, headers: Mapping[str, str]) -> bytes:
    """Return a line with the headers of its batch; its own come first, and betas of both count."""
    if not headers:
        return line
    own = _headers(members)
    if own is None:  # they are what is wrong with this line
        return line
    betas = join_betas(own.get(BETAS), headers.get(BETAS))
    joined = {**headers, **own, **({BETAS: betas} if betas else {})}
    return msgspec.json.encode({**members, "headers": msgspec.Raw(msgspec.json.encode(joined))})


def _headers(members: Members) -> dict[str, str] | None:
    try:
        return msgspec.json.decode(members.get("headers", msgspec.Raw(b"{}")), type=dict[str, str])
    except msgspec.DecodeError:
        return None

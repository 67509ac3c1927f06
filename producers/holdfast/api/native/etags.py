"""Answers that a caller need not be sent again: an ETag is the hash of the body (RFC 9110, 8.8.3)."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Annotated

from fastapi import Header, Response

from holdfast.api.openapi import Answers
from holdfast.client.backend import View
from holdfast.model import exact_json

UNCHANGED: Answers = {304: {"description": "It is as the ETag in If-None-Match says."}}
IfNoneMatch = Annotated[str | None, Header(description="the ETag of the answer that the caller has")]


def tagged(view: View, known: str | None, more: Mapping[str, str] | None = None) -> Response:
    """Answer ``view`` with its ETag, or 304 where the caller has it already."""
    return _unless_known(exact_json.dumps(view), "", known, more)


def tagged_page(page: View | bytes, known: str | None, more: Mapping[str, str] | None = None) -> Response:
    """Answer a page of a list in the same way. Its tag is weak: the page says the same, however it is written."""
    return _unless_known(page if isinstance(page, bytes) else exact_json.dumps(page), "W/", known, more)


def _unless_known(body: bytes, strength: str, known: str | None, more: Mapping[str, str] | None = None) -> Response:
    tag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"etag": strength + tag} | dict(more or {})
    if known and not {tag, "*"}.isdisjoint(each.strip().removeprefix("W/") for each in known.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")

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
    body = exact_json.dumps(view)
    tag = f'"{blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"etag": tag} | dict(more or {})
    if known and tag in {each.strip().removeprefix("W/") for each in known.split(",")}:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")

"""Whose clients call a path under ``/v1``: those of OpenAI's API, or those of Anthropic's.

Paths that both have (``/v1/models``, ``/v1/files``) are told apart by ``anthropic-version``,
a header that Anthropic's API demands of every request, so that every client of it sends it.
"""

from collections.abc import Mapping
from enum import StrEnum

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Scope

from holdfast.api.page_paths import CLIENTS, is_page
from holdfast.api.problems import ErrorWriter

VERSION = "anthropic-version"
ANTHROPICS_OWN = "/v1/messages"


class ClientApi(StrEnum):
    OPENAI = "openai"
    ANTHROPIC = "anthropic"


def client_api_of(scope: Scope) -> ClientApi | None:
    """Return whose client made a request; None: it came to Holdfast's own API."""
    path = str(scope["path"])
    if path != CLIENTS and not path.startswith(f"{CLIENTS}/"):
        return None
    is_anthropic = path.startswith(ANTHROPICS_OWN) or VERSION in Headers(scope=scope)
    return ClientApi.ANTHROPIC if is_anthropic else ClientApi.OPENAI


def refuse_anthropics_clients(request: Request) -> None:
    """Answer that a path is not there, which Anthropic's API has too, as another thing. Raises HTTPException."""
    if client_api_of(request.scope) is ClientApi.ANTHROPIC:
        raise HTTPException(404, "Holdfast keeps no files for Anthropic's API: send what they hold in the request.")


class ErrorShapes:
    """Chooses how an error is written: as a page, or by whose client asks. Stands in ``app.state.error_writer``."""

    def __init__(self, writers: Mapping[ClientApi, ErrorWriter], write_page: ErrorWriter) -> None:
        self._writers, self._write_page = writers, write_page

    def __call__(self, scope: Scope) -> ErrorWriter | None:
        if is_page(scope["path"]):
            return self._write_page
        api = client_api_of(scope)
        return None if api is None else self._writers.get(api)

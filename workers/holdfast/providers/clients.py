"""The official SDKs' clients, opened over our own transport. Each SDK is imported where it is needed, and only there.

Nothing may come from the environment but what belongs to the very API that is called: the SDKs would take addresses,
headers and keys of other accounts from there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from holdfast.model.route import Api
from holdfast.providers.ambient_login import AmbientLogin
from holdfast.providers.transport import Transport

NO_KEY = "none"  # the SDKs want one; where there is none it is not sent


@dataclass(frozen=True, slots=True)
class OpenedClient:
    """A client, and how to use it.

    ``client`` is of either SDK; they have ``post`` and ``close`` in common, but no public base. ``login`` must be ready
    before a call. ``as_fields``: the SDK moves parts of the body into the path, so it takes fields instead of bytes.
    ``same_heads``: it signs nothing and never renews its login, so that all calls of a kind have the same head.
    """

    client: Any
    login: AmbientLogin[Any] | None = None
    as_fields: bool = False
    same_heads: bool = False
    headers: Mapping[str, Any] = field(default_factory=dict)  # of every call


def open_client(api: Api, base_url: str, secret: str, transport: Transport) -> Any:
    """Open the client of Anthropic's or OpenAI's own API. The queue retries, never the SDK."""
    return (_anthropic if api is Api.ANTHROPIC else _openai)(base_url, secret, transport)


def _anthropic(base_url: str, secret: str, transport: Transport) -> Any:
    from anthropic import AsyncAnthropic  # noqa: PLC0415  1.8 s

    return AsyncAnthropic(
        api_key=secret or NO_KEY, base_url=base_url, max_retries=0, http_client=transport, open_telemetry=False
    )


def _openai(base_url: str, secret: str, transport: Transport) -> Any:
    from openai import AsyncOpenAI  # noqa: PLC0415  0.8 s

    client = AsyncOpenAI(api_key=secret or NO_KEY, base_url=base_url, max_retries=0, http_client=transport)
    client.admin_api_key = client.organization = client.project = None  # the environment's may be another account's
    return client


def import_sdk(api: Api) -> None:
    """Import the SDK whose client calls of ``api`` go through, ahead of the first of them."""
    sdk, client = ("anthropic", "AsyncAnthropic") if api.wire is Api.ANTHROPIC else ("openai", "AsyncOpenAI")
    getattr(import_module(sdk), client)


def keyless(api: Api) -> dict[str, Any]:
    """The header that tells an SDK that a server wants no key."""
    if api is Api.ANTHROPIC:
        from anthropic import Omit as AnthropicOmit  # noqa: PLC0415  1.8 s

        return {"X-Api-Key": AnthropicOmit(), "Authorization": AnthropicOmit()}
    from openai import Omit  # noqa: PLC0415  0.8 s

    return {"Authorization": Omit()}

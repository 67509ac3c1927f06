"""Opening the official SDKs' clients. Each SDK is imported where it is needed, and only there.

Nothing may come from the environment but what belongs to the very API that is called: the SDKs would take addresses,
headers and keys of other accounts from there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from holdfast.model.route import Api, Site
from holdfast.providers.ambient_login import AmbientLogin
from holdfast.providers.transport import Transport


@dataclass(frozen=True, slots=True)
class OpenedClient:
    """A client, and how to use it.

    ``client`` is of either SDK; they have ``post`` and ``close`` in common, but no public base. ``login`` must be ready
    before a call. ``as_fields``: the SDK moves parts of the body into the path, so it takes fields instead of bytes.
    """

    client: Any
    login: AmbientLogin[Any] | None = None
    as_fields: bool = False
    headers: Mapping[str, Any] = field(default_factory=dict)  # of every call


def open_client(api: Api, base_url: str, secret: str, concurrency: int, site: Site) -> OpenedClient:
    """Open the client of the SDK that speaks ``api``. The queue retries, never the SDK. Raises ConfigError."""
    transport = Transport(concurrency)
    if api is api.wire:
        make = _anthropic if api is Api.ANTHROPIC else _openai
        opened = OpenedClient(make(base_url, secret, transport))
    else:
        from holdfast.providers.clouds import open_cloud  # noqa: PLC0415  only where a cloud is configured

        opened = open_cloud(api, base_url, secret, transport, site)
    # ANTHROPIC_CUSTOM_HEADERS and OPENAI_CUSTOM_HEADERS may hold keys
    opened.client._custom_headers = {}  # noqa: SLF001  there is no public way
    is_keyless = not secret and api in {Api.OPENAI_CHAT, Api.OPENAI_RESPONSES}
    return replace(opened, headers=_keyless()) if is_keyless else opened


def _anthropic(base_url: str, secret: str, transport: Transport) -> Any:
    from anthropic import AsyncAnthropic  # noqa: PLC0415  1.8 s

    return AsyncAnthropic(api_key=secret, base_url=base_url, max_retries=0, http_client=transport, open_telemetry=False)


def _openai(base_url: str, secret: str, transport: Transport) -> Any:
    from openai import AsyncOpenAI  # noqa: PLC0415  0.8 s

    client = AsyncOpenAI(api_key=secret, base_url=base_url, max_retries=0, http_client=transport)
    client.admin_api_key = client.organization = client.project = None  # the environment's may be another account's
    return client


def _keyless() -> dict[str, Any]:
    """The header that tells OpenAI's SDK that a server wants no key."""
    from openai import Omit  # noqa: PLC0415  0.8 s

    return {"Authorization": Omit()}

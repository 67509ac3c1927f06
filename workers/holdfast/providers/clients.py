"""Opening the official SDKs' clients. Each SDK is imported where it is needed, and only there."""

from typing import TYPE_CHECKING

from holdfast.model.route import Api
from holdfast.providers.wire import Wire

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from openai import AsyncOpenAI


def open_client(api: Api, base_url: str, secret: str, concurrency: int) -> "AsyncAnthropic | AsyncOpenAI":
    """Open the client of the SDK that speaks ``api``. The queue retries, never the SDK."""
    if api is Api.ANTHROPIC:
        return _anthropic(base_url, secret, concurrency)
    return _openai(base_url, secret, concurrency)


def _anthropic(base_url: str, secret: str, concurrency: int) -> "AsyncAnthropic":
    from anthropic import AsyncAnthropic  # noqa: PLC0415  1.8 s

    return AsyncAnthropic(
        api_key=secret, base_url=base_url, max_retries=0, http_client=Wire(concurrency), open_telemetry=False
    )


def _openai(base_url: str, secret: str, concurrency: int) -> "AsyncOpenAI":
    from openai import AsyncOpenAI  # noqa: PLC0415  0.8 s

    client = AsyncOpenAI(api_key=secret, base_url=base_url, max_retries=0, http_client=Wire(concurrency))
    client.admin_api_key = client.organization = client.project = None  # the environment's may be another account's
    return client

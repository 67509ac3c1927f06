"""What the workers need of a provider, and how to get one."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from holdfast.model.call_result import CallResult
from holdfast.model.request import Request
from holdfast.model.route import Api, Site

Refusal = Callable[[], Awaitable[str | None]]  # why a call may not leave now, in words; None: it may


class Provider(Protocol):
    """One credential at one provider. Safe to share between the coroutines of one event loop."""

    async def complete(
        self, model: str, request: Request, *, deadline: float, tag: str, refusal: Refusal | None = None
    ) -> CallResult:
        """Make one call, at most ``deadline`` seconds in all. Every failure is a fault in the answer.

        Args:
            model: The provider's name of the model.
            request: The prompt.
            deadline: Seconds, > 0, from the first connect to the last byte of the body.
            tag: Names the attempt; the provider sees it as the header ``x-holdfast-attempt``.
            refusal: Asked when the connection stands and no byte of the call has left; refused, it is a fault of ours.
        """
        ...

    async def close(self) -> None: ...


def connect(api: Api, base_url: str, secret: str, *, concurrency: int, site: Site | None = None) -> Provider:
    """Make an adapter. Imports the SDK that ``api`` needs (a second or two at first use) and opens no connection.

    Args:
        api: The wire format, and the way to log in.
        base_url: As the SDK takes it: Anthropic's without ``/v1``, OpenAI's with it.
        secret: The key or token itself. Empty: none, or in another cloud the machine's own login.
        concurrency: Connections at most; 0 for no limit.
        site: What the API needs to know besides.

    Raises: ConfigError: the cloud's libraries are not installed, or it wants a key.
    """
    from holdfast.providers.clients import open_client  # noqa: PLC0415  the SDKs are slow to import; only workers pay
    from holdfast.providers.sdk_provider import SdkProvider  # noqa: PLC0415  the same

    site = site or Site()
    return SdkProvider(open_client(api, base_url, secret, concurrency, site), api, base_url, site.dialect)

"""How to get a provider's adapter: a transport, an official SDK's client over it, and the adapter around both."""

from dataclasses import replace

from holdfast.model.errors import ConfigError, HoldfastError
from holdfast.model.route import Api, Site
from holdfast.providers.clients import OpenedClient, keyless, open_client
from holdfast.providers.clouds import open_cloud
from holdfast.providers.outgoing import format_of
from holdfast.providers.port import Provider
from holdfast.providers.sdk_provider import SdkProvider
from holdfast.providers.transport import Transport
from holdfast.testing import PRODUCTION, Runtime


def connect(
    api: Api,
    base_url: str,
    secret: str,
    *,
    concurrency: int,
    site: Site | None = None,
    runtime: Runtime = PRODUCTION,
) -> Provider:
    """Make an adapter. Imports the SDK that ``api`` needs (a second or two at first use) and opens no connection.

    Args:
        api: The wire format, and the way to log in.
        base_url: As the SDK takes it: Anthropic's without ``/v1``, OpenAI's with it.
        secret: The key or token itself. Empty: none, or in another cloud the machine's own login.
        concurrency: Connections at most; 0 for no limit.
        site: What the API needs to know besides.
        runtime: The clock by which dates in answers are read, and the crash points of a call.

    Raises: ConfigError: the cloud's libraries are not installed, it wants a key, or its SDK refuses to start.
    """
    site = site or Site()
    transport = Transport(concurrency, crash_point=runtime.crash_point, proxy=site.proxy, base_url=base_url)
    opened = _open(api, base_url, secret, transport, site)
    return SdkProvider(opened, transport, format_of(api, base_url, site.dialect), runtime.clock)


def _open(api: Api, base_url: str, secret: str, transport: Transport, site: Site) -> OpenedClient:
    """Open the client of the SDK that speaks ``api``."""
    try:
        if api is not api.wire:
            opened = open_cloud(api, base_url, secret, transport, site)
        else:
            opened = OpenedClient(open_client(api, base_url, secret, transport), same_heads=True)
    except HoldfastError:
        raise
    except Exception as error:  # an SDK that wants something else must not keep other providers' workers from starting
        raise ConfigError((f'api = "{api.value}": its SDK refuses to start: {type(error).__name__}',)) from error
    # ANTHROPIC_CUSTOM_HEADERS and OPENAI_CUSTOM_HEADERS may hold keys
    opened.client._custom_headers = {}  # noqa: SLF001  there is no public way
    return replace(opened, headers=keyless(api)) if not secret and api is api.wire else opened

"""The same models in other clouds, through the SDKs' own clients: one opener per API.

A secret is a key or token of that cloud, AWS keys as a credential process prints them, or empty: then the machine's own
login is used, where the cloud has such a thing.
"""

import os
import re
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import Any

from holdfast.model.errors import ConfigError
from holdfast.model.route import Api, Site
from holdfast.providers.ambient_login import AmbientLogin, AwsKeys, aws_chain, google_default, read_aws_keys
from holdfast.providers.clients import OpenedClient
from holdfast.providers.transport import Transport

ENTRA_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")  # Azure's keys have no dots
LATER = "-"  # keys and tokens that are put in place before the first call


def open_cloud(api: Api, base_url: str, secret: str, transport: Transport, site: Site) -> OpenedClient:
    """Open the client for ``api``. Raises ConfigError: an extra is not installed, or a key is needed."""
    return OPENERS[api](base_url, secret, transport, site)


def _bedrock(base_url: str, secret: str, transport: Transport, site: Site) -> OpenedClient:
    from anthropic import AsyncAnthropicBedrock  # noqa: PLC0415  slow

    client = AsyncAnthropicBedrock(
        api_key=LATER,
        aws_region=site.region,
        base_url=base_url,
        max_retries=0,
        http_client=transport,
        open_telemetry=False,
    )  # with AWS keys the constructor would refuse a bearer token in the environment
    keys = read_aws_keys(secret)
    client.api_key = None if keys else secret or os.environ.get("AWS_BEARER_TOKEN_BEDROCK")
    login = None if client.api_key else _signing(client, keys, Api.ANTHROPIC_BEDROCK, "bedrock")
    return OpenedClient(client, login, as_fields=True)


def _mantle(base_url: str, secret: str, transport: Transport, site: Site) -> OpenedClient:
    from anthropic import AsyncAnthropicBedrockMantle  # noqa: PLC0415  slow

    keys = read_aws_keys(secret)
    key = None if keys else secret or os.environ.get("AWS_BEARER_TOKEN_BEDROCK")
    client = AsyncAnthropicBedrockMantle(
        api_key=key or None,
        aws_access_key=None if key else LATER,
        aws_secret_key=None if key else LATER,
        aws_region=site.region,
        base_url=base_url,
        max_retries=0,
        http_client=transport,
        open_telemetry=False,
    )
    return OpenedClient(client, None if key else _signing(client, keys, Api.ANTHROPIC_BEDROCK_MANTLE, "bedrock"))


def _aws(base_url: str, secret: str, transport: Transport, site: Site) -> OpenedClient:
    from anthropic import AsyncAnthropicAWS  # noqa: PLC0415  slow

    keys = read_aws_keys(secret)
    key = None if keys else secret or os.environ.get("ANTHROPIC_AWS_API_KEY")
    client = AsyncAnthropicAWS(
        api_key=key or None,
        aws_access_key=None if key else LATER,
        aws_secret_key=None if key else LATER,
        aws_region=site.region,
        workspace_id=site.workspace_id,
        base_url=base_url,
        max_retries=0,
        http_client=transport,
        open_telemetry=False,
    )
    return OpenedClient(client, None if key else _signing(client, keys, Api.ANTHROPIC_AWS, "aws"))


def _signing(client: Any, keys: AwsKeys | None, api: Api, extra: str) -> AmbientLogin[AwsKeys] | None:
    """Give ``client`` the keys to sign with: these, or those that the machine has."""
    _require("boto3", api, extra)

    def take(found: AwsKeys) -> None:
        client.aws_access_key, client.aws_secret_key, client.aws_session_token = found

    if keys is None:
        return AmbientLogin(aws_chain(), take)
    take(keys)
    return None


def _vertex(base_url: str, secret: str, transport: Transport, site: Site) -> OpenedClient:
    from anthropic import AsyncAnthropicVertex  # noqa: PLC0415  slow

    client = AsyncAnthropicVertex(
        region=site.region or "global",
        project_id=site.project or "",
        access_token=secret or LATER,
        base_url=base_url,
        max_retries=0,
        http_client=transport,
        open_telemetry=False,
    )

    def take(token: str) -> None:
        client.access_token = token

    return OpenedClient(client, None if secret else _google(take, Api.ANTHROPIC_VERTEX, "vertex"), as_fields=True)


def _google_cloud(base_url: str, secret: str, transport: Transport, site: Site) -> OpenedClient:
    from anthropic import AsyncAnthropicGoogleCloud  # noqa: PLC0415  slow

    held = [secret]

    async def token() -> str:
        return held[0]

    def take(found: str) -> None:
        held[0] = found

    client = AsyncAnthropicGoogleCloud(
        project=site.project,
        location=site.region,
        workspace_id=site.workspace_id,
        token_provider=token,
        base_url=base_url,
        max_retries=0,
        http_client=transport,
        open_telemetry=False,
    )
    return OpenedClient(client, None if secret else _google(take, Api.ANTHROPIC_GOOGLE_CLOUD, "google-cloud"))


def _google(take: Callable[[str], None], api: Api, extra: str) -> AmbientLogin[str]:
    _require("google.auth.transport.requests", api, extra)
    return AmbientLogin(google_default(), take)


def _foundry(base_url: str, secret: str, transport: Transport, _: Site) -> OpenedClient:
    from anthropic import AsyncAnthropicFoundry  # noqa: PLC0415  slow

    _require_secret(secret, Api.ANTHROPIC_FOUNDRY)
    is_token = ENTRA_TOKEN.fullmatch(secret)
    client = AsyncAnthropicFoundry(
        api_key=None if is_token else secret,
        azure_ad_token_provider=(lambda: secret) if is_token else None,
        base_url=base_url,
        max_retries=0,
        http_client=transport,
        open_telemetry=False,
    )
    client.api_key = None if is_token else secret  # beside a token, it would be the environment's
    client.auth_token = None
    return OpenedClient(client)


def _azure(api: Api, base_url: str, secret: str, transport: Transport, site: Site) -> OpenedClient:
    from openai import AsyncAzureOpenAI  # noqa: PLC0415  slow

    _require_secret(secret, api)
    is_token = ENTRA_TOKEN.fullmatch(secret)
    client = AsyncAzureOpenAI(
        api_key=None if is_token else secret,
        azure_ad_token=secret if is_token else None,
        api_version=site.api_version,
        base_url=f"{base_url}/openai",
        max_retries=0,
        http_client=transport,
    )
    client.admin_api_key = client.organization = client.project = None  # the environment's may be another account's
    return OpenedClient(client, as_fields=True)


def _openai_bedrock(api: Api, base_url: str, secret: str, transport: Transport, site: Site) -> OpenedClient:
    from openai import AsyncBedrockOpenAI  # noqa: PLC0415  slow

    keys = read_aws_keys(secret)
    bearer = None if keys else secret or os.environ.get("AWS_BEARER_TOKEN_BEDROCK")
    held = [keys]
    if not bearer:
        _require("botocore", api, "bedrock")
    client = AsyncBedrockOpenAI(
        api_key=bearer or None,
        aws_credentials_provider=None if bearer else lambda: held[0],
        aws_region=site.region,
        base_url=base_url,
        max_retries=0,
        http_client=transport,
    )
    client.admin_api_key = client.organization = client.project = None  # the environment's may be another account's

    def take(found: AwsKeys) -> None:
        held[0] = found

    return OpenedClient(client, None if bearer or keys else AmbientLogin(aws_chain(), take))


def _require(module: str, api: Api, extra: str) -> None:
    try:
        import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        why = f'api = "{api.value}" needs {package} to log in, and it is not installed: pip install "holdfast[{extra}]"'
        raise ConfigError((why,)) from None


def _require_secret(secret: str, api: Api) -> None:
    if not secret:
        raise ConfigError((f'api = "{api.value}" needs a credential: a key, or a token of Entra ID',))


OPENERS: Mapping[Api, Callable[[str, str, Transport, Site], OpenedClient]] = {
    Api.ANTHROPIC_BEDROCK: _bedrock,
    Api.ANTHROPIC_BEDROCK_MANTLE: _mantle,
    Api.ANTHROPIC_AWS: _aws,
    Api.ANTHROPIC_VERTEX: _vertex,
    Api.ANTHROPIC_GOOGLE_CLOUD: _google_cloud,
    Api.ANTHROPIC_FOUNDRY: _foundry,
    Api.AZURE_OPENAI: partial(_azure, Api.AZURE_OPENAI),
    Api.AZURE_OPENAI_RESPONSES: partial(_azure, Api.AZURE_OPENAI_RESPONSES),
    Api.OPENAI_BEDROCK: partial(_openai_bedrock, Api.OPENAI_BEDROCK),
    Api.OPENAI_BEDROCK_RESPONSES: partial(_openai_bedrock, Api.OPENAI_BEDROCK_RESPONSES),
}

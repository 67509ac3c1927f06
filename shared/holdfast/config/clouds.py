"""The official addresses of every API, and which keys of a provider's table each API wants."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.config.presets import PRESETS
from holdfast.config.problems import ConfigProblem
from holdfast.config.schema import ProviderTable
from holdfast.config.toml_positions import Path
from holdfast.model.route import Api


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an API is reached, and which keys of the provider's table tell it more.

    ``address`` is the official one, with ``{region}`` and the like in it. ``needed`` keys must be given, ``taken`` ones
    may be.
    """

    address: str
    needed: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()


GOOGLE_CLOUD = "https://claude.googleapis.com/v1/projects/{project}/locations/{region}/workspaces/{workspace_id}/invoke"
MANTLE, AZURE = "https://bedrock-mantle.{region}.api.aws", "https://{resource}.openai.azure.com"
ENDPOINTS: Mapping[Api, Endpoint] = {
    Api.ANTHROPIC: Endpoint("https://api.anthropic.com"),
    Api.OPENAI_CHAT: Endpoint("https://api.openai.com/v1", taken=("dialect",)),
    Api.OPENAI_RESPONSES: Endpoint("https://api.openai.com/v1"),
    Api.ANTHROPIC_BEDROCK: Endpoint("https://bedrock-runtime.{region}.amazonaws.com", ("region",)),
    Api.ANTHROPIC_BEDROCK_MANTLE: Endpoint(f"{MANTLE}/anthropic", ("region",)),
    Api.ANTHROPIC_AWS: Endpoint("https://aws-external-anthropic.{region}.api.aws", ("region", "workspace_id")),
    Api.ANTHROPIC_VERTEX: Endpoint("https://{region}-aiplatform.googleapis.com/v1", ("region", "project")),
    Api.ANTHROPIC_GOOGLE_CLOUD: Endpoint(GOOGLE_CLOUD, ("project", "workspace_id"), ("region",)),
    Api.ANTHROPIC_FOUNDRY: Endpoint("https://{resource}.services.ai.azure.com/anthropic", (), ("resource",)),
    Api.AZURE_OPENAI: Endpoint(AZURE, ("api_version",), ("resource",)),
    Api.AZURE_OPENAI_RESPONSES: Endpoint(AZURE, ("api_version",), ("resource",)),
    Api.OPENAI_BEDROCK: Endpoint(f"{MANTLE}/openai/v1", ("region",)),
    Api.OPENAI_BEDROCK_RESPONSES: Endpoint(f"{MANTLE}/openai/v1", ("region",)),
}
KEYS: Mapping[str, str] = {  # where users keep the key: of an official address, or of an API on an address of their own
    **{preset.address: preset.key for preset in PRESETS.values() if preset.key},
    Api.ANTHROPIC_FOUNDRY: "ANTHROPIC_FOUNDRY_API_KEY",
    Api.AZURE_OPENAI: "AZURE_OPENAI_API_KEY",
    Api.AZURE_OPENAI_RESPONSES: "AZURE_OPENAI_API_KEY",
}
VERTEX_WIDE: Mapping[str, str] = {  # regions that are wider than one
    "global": "https://aiplatform.googleapis.com/v1",
    "us": "https://aiplatform.us.rep.googleapis.com/v1",
    "eu": "https://aiplatform.eu.rep.googleapis.com/v1",
}
SITE = ("region", "project", "workspace_id", "resource", "api_version", "dialect")


def official_address(provider: ProviderTable) -> str:
    """Return the API's official address, of this region, project, workspace or resource, as the SDKs derive it."""
    if provider.api is Api.ANTHROPIC_VERTEX and provider.region in VERTEX_WIDE:
        return VERTEX_WIDE[str(provider.region)]
    parts = {key: getattr(provider, key) for key in SITE} | {"region": provider.region or "global"}
    return ENDPOINTS[provider.api].address.format(**parts)


def check_site(path: Path, provider: Mapping[str, Any]) -> Iterator[ConfigProblem]:
    """Find the keys that the provider's API needs and has not, or has and does not know."""
    if provider.get("api") not in list(Api):
        return
    api = Api(provider["api"])
    needed, taken = ENDPOINTS[api].needed, ENDPOINTS[api].taken
    for key in SITE:
        if key in needed and key not in provider:
            yield ConfigProblem((*path, key), f"a value (api = {api.value!r} needs it)", "nothing")
        if key in provider and key not in (*needed, *taken):
            known = ", ".join((*needed, *taken)) or "none of its kind"
            yield ConfigProblem((*path, key), f"a key that api = {api.value!r} knows ({known})", "one that it does not")
    if "resource" in taken and ("resource" in provider) == ("base_url" in provider):
        got = "both" if "resource" in provider else "neither"
        yield ConfigProblem((*path, "resource"), "either resource or base_url", got)

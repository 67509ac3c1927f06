"""The official addresses of every API, and which keys of a provider's table each API wants."""

from collections.abc import Iterator, Mapping
from typing import Any

from holdfast.config.problems import ConfigProblem
from holdfast.config.schema import ProviderForm
from holdfast.config.toml_positions import Path
from holdfast.model.route import Api

ADDRESSES: Mapping[Api, str] = {
    Api.ANTHROPIC: "https://api.anthropic.com",
    Api.OPENAI_CHAT: "https://api.openai.com/v1",
    Api.OPENAI_RESPONSES: "https://api.openai.com/v1",
}
KEYS: Mapping[str, str] = {  # where users keep the key: of an official address, or of an API on an address of their own
    "https://api.anthropic.com": "ANTHROPIC_API_KEY",
    "https://api.openai.com/v1": "OPENAI_API_KEY",
    "https://generativelanguage.googleapis.com/v1beta/openai": "GEMINI_API_KEY",
    Api.ANTHROPIC_FOUNDRY: "ANTHROPIC_FOUNDRY_API_KEY",
    Api.AZURE_OPENAI: "AZURE_OPENAI_API_KEY",
    Api.AZURE_OPENAI_RESPONSES: "AZURE_OPENAI_API_KEY",
}
CLOUD_ADDRESSES: Mapping[Api, str] = {
    Api.ANTHROPIC_BEDROCK: "https://bedrock-runtime.{region}.amazonaws.com",
    Api.ANTHROPIC_BEDROCK_MANTLE: "https://bedrock-mantle.{region}.api.aws/anthropic",
    Api.ANTHROPIC_AWS: "https://aws-external-anthropic.{region}.api.aws",
    Api.ANTHROPIC_VERTEX: "https://{region}-aiplatform.googleapis.com/v1",
    Api.ANTHROPIC_GOOGLE_CLOUD: "https://claude.googleapis.com/v1/projects/{project}/locations/{region}"
    "/workspaces/{workspace_id}/invoke",
    Api.ANTHROPIC_FOUNDRY: "https://{resource}.services.ai.azure.com/anthropic",
    Api.AZURE_OPENAI: "https://{resource}.openai.azure.com",
    Api.AZURE_OPENAI_RESPONSES: "https://{resource}.openai.azure.com",
    Api.OPENAI_BEDROCK: "https://bedrock-mantle.{region}.api.aws/openai/v1",
    Api.OPENAI_BEDROCK_RESPONSES: "https://bedrock-mantle.{region}.api.aws/openai/v1",
}
VERTEX_WIDE: Mapping[str, str] = {  # regions that are wider than one
    "global": "https://aiplatform.googleapis.com/v1",
    "us": "https://aiplatform.us.rep.googleapis.com/v1",
    "eu": "https://aiplatform.eu.rep.googleapis.com/v1",
}
NEEDED: Mapping[Api, tuple[str, ...]] = {
    Api.ANTHROPIC_BEDROCK: ("region",),
    Api.ANTHROPIC_BEDROCK_MANTLE: ("region",),
    Api.ANTHROPIC_AWS: ("region", "workspace_id"),
    Api.ANTHROPIC_VERTEX: ("region", "project"),
    Api.ANTHROPIC_GOOGLE_CLOUD: ("project", "workspace_id"),
    Api.ANTHROPIC_FOUNDRY: (),
    Api.AZURE_OPENAI: ("api_version",),
    Api.AZURE_OPENAI_RESPONSES: ("api_version",),
    Api.OPENAI_BEDROCK: ("region",),
    Api.OPENAI_BEDROCK_RESPONSES: ("region",),
}
TAKEN: Mapping[Api, tuple[str, ...]] = {  # besides those that are needed
    Api.ANTHROPIC_GOOGLE_CLOUD: ("region",),
    Api.ANTHROPIC_FOUNDRY: ("resource",),
    Api.AZURE_OPENAI: ("resource",),
    Api.AZURE_OPENAI_RESPONSES: ("resource",),
    Api.OPENAI_CHAT: ("dialect",),
}
SITE = ("region", "project", "workspace_id", "resource", "api_version", "dialect")


def cloud_address(form: ProviderForm) -> str:
    """Derive the address from region, project, workspace or resource, as the SDKs do."""
    if form.api is Api.ANTHROPIC_VERTEX and form.region in VERTEX_WIDE:
        return VERTEX_WIDE[str(form.region)]
    parts = {"region": form.region or "global", "project": form.project}
    return CLOUD_ADDRESSES[form.api].format(**parts, workspace_id=form.workspace_id, resource=form.resource)


def check_site(path: Path, provider: Mapping[str, Any]) -> Iterator[ConfigProblem]:
    """Find the keys that the provider's API needs and has not, or has and does not know."""
    if provider.get("api") not in list(Api):
        return
    api = Api(provider["api"])
    needed, taken = NEEDED.get(api, ()), TAKEN.get(api, ())
    for key in SITE:
        if key in needed and key not in provider:
            yield ConfigProblem((*path, key), f"a value (api = {api.value!r} needs it)", "nothing")
        if key in provider and key not in (*needed, *taken):
            known = ", ".join((*needed, *taken)) or "none of its kind"
            yield ConfigProblem((*path, key), f"a key that api = {api.value!r} knows ({known})", "one that it does not")
    if "resource" in taken and ("resource" in provider) == ("base_url" in provider):
        got = "both" if "resource" in provider else "neither"
        yield ConfigProblem((*path, "resource"), "either resource or base_url", got)

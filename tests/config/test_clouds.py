"""Every API says which keys it wants, and its address follows from them as the SDKs' own clients derive it."""

from pathlib import Path

import pytest

from holdfast.config import ProviderSettings, load
from holdfast.config.clouds import ENDPOINTS
from holdfast.model.errors import ConfigError
from holdfast.model.route import Api, Dialect, Site

KEYS = {
    Api.ANTHROPIC_BEDROCK: 'region = "eu-west-1"',
    Api.ANTHROPIC_BEDROCK_MANTLE: 'region = "eu-west-1"',
    Api.ANTHROPIC_AWS: 'region = "eu-west-1"\nworkspace_id = "wrkspc_1"',
    Api.ANTHROPIC_VERTEX: 'region = "europe-west1"\nproject = "p-1"',
    Api.ANTHROPIC_GOOGLE_CLOUD: 'project = "p-1"\nworkspace_id = "wrkspc_1"',
    Api.ANTHROPIC_FOUNDRY: 'resource = "ours"',
    Api.AZURE_OPENAI: 'resource = "ours"\napi_version = "2024-10-21"',
    Api.AZURE_OPENAI_RESPONSES: 'resource = "ours"\napi_version = "2025-04-01-preview"',
    Api.OPENAI_BEDROCK: 'region = "eu-west-1"',
    Api.OPENAI_BEDROCK_RESPONSES: 'region = "eu-west-1"',
}
ADDRESSES = {
    Api.ANTHROPIC_BEDROCK: "https://bedrock-runtime.eu-west-1.amazonaws.com",
    Api.ANTHROPIC_BEDROCK_MANTLE: "https://bedrock-mantle.eu-west-1.api.aws/anthropic",
    Api.ANTHROPIC_AWS: "https://aws-external-anthropic.eu-west-1.api.aws",
    Api.ANTHROPIC_VERTEX: "https://europe-west1-aiplatform.googleapis.com/v1",
    Api.ANTHROPIC_GOOGLE_CLOUD: "https://claude.googleapis.com/v1/projects/p-1/locations/global"
    "/workspaces/wrkspc_1/invoke",
    Api.ANTHROPIC_FOUNDRY: "https://ours.services.ai.azure.com/anthropic",
    Api.AZURE_OPENAI: "https://ours.openai.azure.com",
    Api.AZURE_OPENAI_RESPONSES: "https://ours.openai.azure.com",
    Api.OPENAI_BEDROCK: "https://bedrock-mantle.eu-west-1.api.aws/openai/v1",
    Api.OPENAI_BEDROCK_RESPONSES: "https://bedrock-mantle.eu-west-1.api.aws/openai/v1",
}


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def provider(api: str, keys: str = "") -> ProviderSettings:
    Path("holdfast.toml").write_text(f'[providers.p]\napi = "{api}"\n{keys}\n', encoding="utf-8")
    return load(None, {}).providers["p"]


def complaints(api: str, keys: str = "") -> list[str]:
    with pytest.raises(ConfigError) as refusal:
        provider(api, keys)
    return [each.removeprefix("holdfast.toml:") for each in refusal.value.problems]


def test_every_cloud_is_known() -> None:
    assert set(ENDPOINTS) == set(Api)
    assert set(KEYS) == {api for api in Api if api.wire is not api}


@pytest.mark.parametrize("api", KEYS)
def test_the_address_follows_from_the_keys(api: Api) -> None:
    assert provider(api, KEYS[api]).base_url == ADDRESSES[api]


@pytest.mark.parametrize(
    ("region", "host"),
    [("global", "aiplatform"), ("us", "aiplatform.us.rep"), ("eu", "aiplatform.eu.rep"), ("x-y1", "x-y1-aiplatform")],
)
def test_vertex_has_regions_wider_than_one(region: str, host: str) -> None:
    found = provider("anthropic-vertex", f'region = "{region}"\nproject = "p"')
    assert found.base_url == f"https://{host}.googleapis.com/v1"


def test_an_address_of_ones_own_is_kept_beside_what_the_login_needs() -> None:
    found = provider("anthropic-bedrock", 'base_url = "https://proxy.example/bedrock"\nregion = "eu-west-1"')
    assert (found.base_url, found.site) == ("https://proxy.example/bedrock", Site(region="eu-west-1"))


def test_the_login_without_credentials_is_the_machines_own_or_the_clouds_own_variable() -> None:
    secrets = {api: provider(api, KEYS[api]).credentials[0].secret for api in KEYS}
    assert secrets == {
        Api.ANTHROPIC_BEDROCK: "none",
        Api.ANTHROPIC_BEDROCK_MANTLE: "none",
        Api.ANTHROPIC_AWS: "none",
        Api.ANTHROPIC_VERTEX: "none",
        Api.ANTHROPIC_GOOGLE_CLOUD: "none",
        Api.ANTHROPIC_FOUNDRY: "env:ANTHROPIC_FOUNDRY_API_KEY",
        Api.AZURE_OPENAI: "env:AZURE_OPENAI_API_KEY",
        Api.AZURE_OPENAI_RESPONSES: "env:AZURE_OPENAI_API_KEY",
        Api.OPENAI_BEDROCK: "none",
        Api.OPENAI_BEDROCK_RESPONSES: "none",
    }


def test_a_dialect_is_named_for_servers_of_the_chat_format() -> None:
    found = provider("openai-chat", 'base_url = "http://localhost:8000/v1"\ndialect = "vllm"')
    assert found.site.dialect is Dialect.VLLM


@pytest.mark.parametrize(
    ("api", "keys", "said"),
    [
        ("anthropic-aws", 'region = "eu-west-1"',
         "1: providers.p.workspace_id: expected a value (api = 'anthropic-aws' needs it), got nothing"),
        ("anthropic-vertex", 'project = "p"',
         "1: providers.p.region: expected a value (api = 'anthropic-vertex' needs it), got nothing"),
        ("azure-openai", 'api_version = "2024-10-21"',
         "1: providers.p.resource: expected either resource or base_url, got neither"),
        ("anthropic-foundry", 'resource = "r"\nbase_url = "https://r.example"',
         "3: providers.p.resource: expected either resource or base_url, got both"),
        ("anthropic", 'region = "eu-west-1"',
         ("3: providers.p.region: expected a key that api = 'anthropic' knows (none of its kind),"
         " got one that it does not")),
        ("anthropic-bedrock", 'region = "eu-west-1"\ndialect = "gemini"',
         ("4: providers.p.dialect: expected a key that api = 'anthropic-bedrock' knows (region),"
         " got one that it does not")),
        ("anthropic-bedrock", 'region = "evil.example/#"',
         "3: providers.p.region: expected letters, digits, dots, dashes and underscores, got 'evil.example/#'"),
        ("openai-chat", 'dialect = "olama"',
         (f"3: providers.p.dialect: expected one of {', '.join(Dialect)}, got 'olama';"
         " nearest valid name ollama")),
    ],
)  # fmt: skip
def test_a_key_that_is_missing_or_another_apis_is_named(api: str, keys: str, said: str) -> None:
    assert complaints(api, keys) == [said]

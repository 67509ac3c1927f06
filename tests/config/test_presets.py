"""A provider's name stands for format, address, dialect and key; the schema for editors takes what Holdfast takes."""

import re
import tomllib
from pathlib import Path

import jsonschema_rs
import pytest

from holdfast.config import load
from holdfast.config.editor_schema import editor_schema
from holdfast.config.presets import PRESETS, expanded
from holdfast.model.errors import ConfigError
from holdfast.model.route import Api
from holdfast.wire.chat.server_profile import SERVER_PROFILES, dialect_of

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def provider(tmp_path: Path, table: str):
    file = tmp_path / "holdfast.toml"
    file.write_text(f"[providers.one]\n{table}\n")
    return load(file, {}).providers["one"]


@pytest.mark.parametrize("name", PRESETS)
def test_a_name_is_enough(tmp_path: Path, name: str) -> None:
    preset, one = PRESETS[name], provider(tmp_path, f'api = "{name}"')
    assert (one.api, one.base_url, one.site.dialect) == (preset.api, preset.address, preset.dialect)
    assert one.credentials[0].secret == (f"env:{preset.key}" if preset.key else "none")
    assert preset.source
    assert preset.api is not Api.OPENAI_CHAT or preset.dialect in SERVER_PROFILES


@pytest.mark.parametrize("name", [name for name, each in PRESETS.items() if each.key and each.dialect])
def test_an_address_alone_is_known_as_its_name_is(name: str) -> None:
    assert dialect_of(PRESETS[name].address) is PRESETS[name].dialect


def test_a_key_goes_to_its_own_provider_alone(tmp_path: Path) -> None:
    one = provider(tmp_path, 'api = "groq"\nbase_url = "https://gateway.example.com/v1"')
    assert [each.secret for each in one.credentials] == ["none"]
    assert one.site.dialect is PRESETS["groq"].dialect


def test_what_a_table_says_goes_before(tmp_path: Path) -> None:
    one = provider(tmp_path, 'api = "xai"\ncredentials = [{ name = "b", secret = "file:/run/b" }]\ndialect = "openai"')
    assert ([each.secret for each in one.credentials], str(one.site.dialect)) == (["file:/run/b"], "openai")


def test_a_name_nearly_right_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nearest valid name mistral"):
        provider(tmp_path, 'api = "mistrall"')


def test_without_a_file_every_key_that_is_set_brings_its_provider() -> None:
    found = load(None, {"GROQ_API_KEY": "x", "XAI_API_KEY": "y", "MISTRAL_API_KEY": ""})
    assert list(found.providers) == ["groq", "xai"]
    assert found.plan("groq/llama-4").routes[0].credentials == ("main",)


@pytest.mark.parametrize("odd", [{}, {"providers": 5}, {"providers": {"a": 5}}, {"providers": {"a": {"api": []}}}])
def test_odd_files_are_left_to_the_schema(odd) -> None:
    assert expanded(odd) == odd


def test_editors_take_what_holdfast_takes() -> None:
    check = jsonschema_rs.validator_for(editor_schema())
    pages = [*DOCS.glob("*.md"), *(DOCS / "howto").glob("*.md")]
    texts = [(page, "".join(BLOCK.findall(page.read_text(encoding="utf-8")))) for page in pages]
    texts.append((DOCS, (DOCS / "holdfast.example.toml").read_text(encoding="utf-8")))
    told = [(page.name, [each.message for each in check.iter_errors(tomllib.loads(text))]) for page, text in texts]
    assert [each for each in told if each[1]] == []
    assert not check.is_valid({"server": {"prot": 1}})
    assert not check.is_valid({"providers": {"a": {"api": "grok"}}})

"""A credential names one source of keys or tokens, and no secret in the clear."""

from pathlib import Path

import pytest

from holdfast.config import load
from holdfast.model.errors import ConfigError

OAUTH = """
[providers.p]
api = "openai-chat"
base_url = "http://127.0.0.1:1/v1"
credentials = [{ %s name = "main" }]
"""


def test_a_credential_may_be_a_source_of_tokens(tmp_path: Path) -> None:
    file = tmp_path / "holdfast.toml"
    keys = 'token_url = "https://issuer.example/token", client_id = "us", client_secret = "env:S", scope = "x"'
    table = f"oauth2 = {{ {keys} }},"
    file.write_text(OAUTH % table)
    credential = load(file, {}).providers["p"].credentials[0]
    assert credential.secret == "env:S"
    assert credential.issuer is not None
    assert credential.issuer.fields == {"grant_type": "client_credentials", "scope": "x"}
    assert credential.issuer.client_id == "us"


@pytest.mark.parametrize(
    ("credential", "complaint"),
    [
        ('secret = "env:A", token = { url = "https://i.example", secret = "none" },', "got secret and token"),
        ("", "got none of them"),
        ('token = { url = "http://i.example/token", secret = "none" },', "expected an https:// address"),
        ('token = { url = "https://i.example", secret = "sk-123456" },', "not shown"),
    ],
)
def test_a_credential_has_one_source_and_tells_it_no_secret_in_the_clear(tmp_path, credential, complaint) -> None:
    file = tmp_path / "holdfast.toml"
    file.write_text(OAUTH % credential)
    with pytest.raises(ConfigError, match=complaint) as caught:
        load(file, {})
    assert "sk-123456" not in str(caught.value)

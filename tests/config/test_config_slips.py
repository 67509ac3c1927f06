"""What people write into a configuration who come from YAML, JSON or another program: each is told what it is here."""

from pathlib import Path

import pytest

from holdfast.config import load
from holdfast.model.errors import ConfigError

PROVIDER = '[providers.anthropic]\napi = "anthropic"\n'
SLIPS = [
    ("providers:\n  anthropic:\n", "(column 10)", "looks like YAML"),
    ('{"providers": {}}', "(column 1)", "looks like JSON"),
    ("[providers.anthropic]\napi = anthropic\n", "(column 7)", "a text stands in quotes"),
    ("[providers.anthropic]\napi = \u201canthropic\u201d\n", "(column 7)", "quotes are straight"),
    ('[providers.anthropic]\napi = "anthropic\n', "(column 17)", "a quote is not closed on its line"),
    (PROVIDER + PROVIDER, "(column 21)", "stands in the file twice"),
    (PROVIDER + 'api = "anthropic"\n', "(column 18)", "stands in the file twice"),
    ("[server]\nhas_keys = False\n", "(column 12)", "true and false are written small"),
    (PROVIDER + "deadline = null\n", "(column 12)", "what has no value is left out"),
    (PROVIDER + 'api_key = "sk-ant-hush"\n', "providers.anthropic.api_key", "nearest valid name credentials"),
    (PROVIDER + "timeout = 60\n", "providers.anthropic.timeout", "nearest valid name deadline"),
    (PROVIDER + "limits = { rpm = 60 }\n", "limits.rpm", "nearest valid name requests_per_minute"),
    ('[storage]\nurl = "sqlite:///a.db"\n', "storage.url", "nearest valid name database_url"),
    ('[[providers]]\nname = "anthropic"\n', "providers", "expected a table for each: [providers.NAME]"),
    (PROVIDER + '[models.smart]\nroutes = ["anthropic/m"]\n', "routes[0]", "a table with provider and model: { … }"),
    ('[server]\nallowed_origins = ["*"]\n', "allowed_origins[0]", "the origin of one page, such as https://"),
    (PROVIDER + 'base_url = "https://h/v1/messages"\n', "base_url", "an address without /messages"),
    (PROVIDER + 'credentials = [{ name = "a", secret = "env:sk-ant-hush" }]\n', "secret", "expected a reference"),
    (PROVIDER + 'credentials = [{ name = "a", secret = "env:$KEY" }]\n', "secret", "expected a reference"),
]


@pytest.mark.parametrize(("text", "where", "said"), SLIPS, ids=[f"{where}: {said}" for _, where, said in SLIPS])
def test_a_slip_is_told_with_its_place_and_what_mends_it(tmp_path: Path, monkeypatch, text, where, said) -> None:
    monkeypatch.chdir(tmp_path)
    Path("holdfast.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as told:
        load(None, {})
    assert where in str(told.value)
    assert said in str(told.value)
    assert "hush" not in str(told.value), "a key may have been pasted there"

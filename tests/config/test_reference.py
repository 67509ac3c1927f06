"""The reference page says what the forms say."""

from dataclasses import fields
from pathlib import Path

from holdfast.config.reference import TABLES, page
from holdfast.config.schema import BreakerRules, ConfigFile
from holdfast.config.schema_tree import keys_of
from holdfast.config.toml_types import seconds
from holdfast.policy.breaker_rules import Rules

ROOT = Path(__file__).parents[2]


def test_the_page_is_up_to_date() -> None:
    assert (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8") == page()


def test_every_key_has_its_row_and_a_meaning() -> None:
    for path in TABLES.values():
        assert keys_of(path)
        for name, node in keys_of(path).items():
            assert f"| `{name}` |" in page()
            assert node.get("description") or name in {"limits", "breaker", "price"}


def test_no_table_is_left_out() -> None:
    assert {f"[{name}]" for name in ("server", "storage", "worker", "webhooks", "alerts")} <= set(TABLES)
    assert set(ConfigFile.model_fields) == {"server", "storage", "worker", "webhooks", "alerts", "providers", "models"}


def test_the_breaker_s_defaults_are_those_of_its_rules() -> None:
    defaults = {each.name: each.default for each in fields(Rules)}
    for name, field in BreakerRules.model_fields.items():
        said = (field.description or "").split("Default ")[1].rstrip(".")
        value = seconds(said) if said[-1].isalpha() else float(said)
        assert value == defaults[name], name

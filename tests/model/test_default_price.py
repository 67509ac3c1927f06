"""Prices that nobody configured are known of providers' own addresses, and of nothing else; the configuration wins."""

import subprocess
import sys

import pytest

from holdfast.config.values import ProviderSettings
from holdfast.model.route import Api, Price


def route(address: str, model: str, **fields):
    made = ProviderSettings("p", Api.OPENAI_CHAT, address, ()).route(model)
    return made if not fields else type(made)(**{f: getattr(made, f) for f in made.__slots__} | fields)


@pytest.mark.parametrize(
    ("address", "model"),
    [("https://api.anthropic.com", "claude-opus-4-8"), ("https://api.openai.com/v1", "gpt-4o-mini")],
)
def test_a_providers_own_model_has_a_price_and_its_source(address: str, model: str) -> None:
    found = route(address, model)
    assert found.known_price is not None
    assert 0 < found.known_price.input < found.known_price.output < 200
    assert found.price_from.startswith("genai-prices ")


@pytest.mark.parametrize(
    ("address", "model"),
    [("http://127.0.0.1:8080/v1", "gpt-4o-mini"), ("https://api.openai.com/v1", "gpt-nobody-knows")],
)
def test_another_server_or_model_stays_unknown(address: str, model: str) -> None:
    assert (route(address, model).known_price, route(address, model).price_from) == (None, None)


def test_the_configuration_goes_before() -> None:
    said = route("https://api.openai.com/v1", "gpt-4o-mini", price=Price(1.0, 2.0))
    assert (said.known_price, said.price_from) == (Price(1.0, 2.0), "configuration")


def test_nothing_is_imported_before_a_price_is_asked_for() -> None:
    code = "import sys, holdfast.config.values; print('genai_prices' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"

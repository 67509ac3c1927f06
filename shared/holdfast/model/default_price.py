"""Prices that nobody configured: those of the package genai-prices, for the providers' own addresses alone.

It is imported when the first price is asked for: that takes a third of a second.
"""

from functools import cache
from importlib.metadata import version

TOKENS = 1_000  # of either kind: within the first step of every price that has steps
PER_MILLION = 1_000_000 / TOKENS


@cache
def default_price(address: str, model: str) -> tuple[float, float] | None:
    """Return what a provider's model costs: USD per million tokens of input and of output. None: nobody knows.

    ``address``: that of the provider's API. Another server with the same models has prices of its own.
    """
    from genai_prices import Usage, calc_price  # noqa: PLC0415 - see above

    try:
        found = calc_price(Usage(input_tokens=TOKENS, output_tokens=TOKENS), model_ref=model, provider_api_url=address)
    except LookupError:
        return None
    return float(found.input_price) * PER_MILLION, float(found.output_price) * PER_MILLION


def price_source() -> str:
    """Name where default prices are from.

    >>> price_source().startswith("genai-prices ")
    True
    """
    return f"genai-prices {version('genai-prices')}"

"""Where a job can run: routes, their limits and prices, and the plan of a model alias."""

from dataclasses import dataclass, field
from enum import StrEnum


class Api(StrEnum):
    """The wire format of a provider, as named in the configuration."""

    ANTHROPIC = "anthropic"
    OPENAI_CHAT = "openai-chat"
    OPENAI_RESPONSES = "openai-responses"


@dataclass(frozen=True, slots=True)
class Limits:
    """A rate allowance per credential and model group; None: unknown, learned from headers and 429s."""

    requests_per_minute: float | None = None
    input_tokens_per_minute: float | None = None
    output_tokens_per_minute: float | None = None
    concurrency: int | None = None  # calls in flight on the route, over the whole fleet


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens."""

    input: float = 0.0
    output: float = 0.0

    def cost_micros(self, input_tokens: int, output_tokens: int) -> int:
        """Cost in micro-dollars (a token at 1 USD per million costs one), rounded to the nearest."""
        return round(input_tokens * self.input + output_tokens * self.output)


@dataclass(frozen=True, slots=True)
class Route:
    """A provider's model. ``name`` is ``provider/model``, unique in a configuration.

    ``group`` names the rate allowance that the route shares with others of the same provider (default: the model).
    ``deadline`` and ``slow_after`` are seconds; the deadline is total, per call.
    """

    provider: str
    model: str
    api: Api
    group: str
    credentials: tuple[str, ...]
    limits: Limits = field(default_factory=Limits)
    price: Price = field(default_factory=Price)
    deadline: float = 120.0
    slow_after: float | None = None

    @property
    def name(self) -> str:
        return f"{self.provider}/{self.model}"


@dataclass(frozen=True, slots=True)
class Plan:
    """The ordered routes of a model alias: the first that admits a job takes it."""

    model: str
    routes: tuple[Route, ...]

    def route(self, name: str) -> Route | None:
        return next((route for route in self.routes if route.name == name), None)

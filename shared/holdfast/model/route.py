"""Where a job can run: routes, their limits and prices, and the plan of a model alias."""

from dataclasses import dataclass, field
from enum import StrEnum

from holdfast.model.default_price import default_price, price_source


class Api(StrEnum):
    """How a provider is called, as named in the configuration: a wire format and, in other clouds, a way to log in."""

    ANTHROPIC = "anthropic"
    OPENAI_CHAT = "openai-chat"
    OPENAI_RESPONSES = "openai-responses"
    ANTHROPIC_BEDROCK = "anthropic-bedrock"
    ANTHROPIC_BEDROCK_MANTLE = "anthropic-bedrock-mantle"
    ANTHROPIC_AWS = "anthropic-aws"
    ANTHROPIC_VERTEX = "anthropic-vertex"
    ANTHROPIC_GOOGLE_CLOUD = "anthropic-google-cloud"
    ANTHROPIC_FOUNDRY = "anthropic-foundry"
    AZURE_OPENAI = "azure-openai"
    AZURE_OPENAI_RESPONSES = "azure-openai-responses"
    OPENAI_BEDROCK = "openai-bedrock"
    OPENAI_BEDROCK_RESPONSES = "openai-bedrock-responses"

    @property
    def wire(self) -> "Api":
        """The wire format alone: one of the first three. The same model in another cloud takes the same bodies."""
        if self.endswith("-responses"):
            return Api.OPENAI_RESPONSES
        return Api.ANTHROPIC if self.startswith(Api.ANTHROPIC.value) else Api.OPENAI_CHAT


class Dialect(StrEnum):
    """A server that speaks a wire format of OpenAI's in its own way."""

    OPENAI = "openai"
    AZURE = "azure"
    GEMINI = "gemini"
    VLLM = "vllm"
    OLLAMA = "ollama"
    LLAMA_CPP = "llama.cpp"
    LM_STUDIO = "lm-studio"
    OPENROUTER = "openrouter"
    MISTRAL = "mistral"
    GROQ = "groq"
    XAI = "xai"
    DEEPSEEK = "deepseek"
    DASHSCOPE = "dashscope"
    TOGETHER = "together"
    FIREWORKS = "fireworks"
    SGLANG = "sglang"
    TGI = "tgi"
    COMPATIBLE = "compatible"  # any other


@dataclass(frozen=True, slots=True)
class Site:
    """What a call needs to know of a provider besides its address and a secret; each API wants its own part of it."""

    region: str | None = None
    project: str | None = None
    workspace_id: str | None = None
    api_version: str | None = None
    dialect: Dialect | None = None  # None: recognised by the address
    proxy: str | None = None  # HTTP proxy of its calls; "none": they go straight; None: the environment tells


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
    ``price`` None: the configuration does not say what it costs; see ``known_price``. ``official``: the address of its
    provider's own API, where that is called; None: some other server is. ``deadline`` and ``slow_after`` are seconds;
    the deadline is total, per call. ``endpoints`` are paths that its provider has beyond those of its wire format, as
    the configuration says.
    """

    provider: str
    model: str
    api: Api
    group: str
    credentials: tuple[str, ...]
    limits: Limits = field(default_factory=Limits)
    price: Price | None = None
    deadline: float = 120.0
    slow_after: float | None = None
    endpoints: tuple[str, ...] = ()
    official: str | None = None

    @property
    def name(self) -> str:
        return f"{self.provider}/{self.model}"

    @property
    def known_price(self) -> Price | None:
        """The configured price, else the one that is known of the provider's model; None: nobody knows."""
        if self.price is not None or self.official is None:
            return self.price
        found = default_price(self.official, self.model)
        return None if found is None else Price(*found)

    @property
    def price_from(self) -> str | None:
        """Where ``known_price`` is from: the configuration, or a package with its version."""
        if self.price is not None:
            return "configuration"
        return price_source() if self.known_price is not None else None


@dataclass(frozen=True, slots=True)
class Hedge:
    """When a job gets a second call on another route: its first one is older than ``after`` seconds.

    ``at_most`` is the share of all calls that may be hedged, above 0 and up to 1.
    """

    after: float
    at_most: float = 0.05


@dataclass(frozen=True, slots=True)
class Plan:
    """The ordered routes of a model alias: the first that admits a job takes it. ``hedge`` None: one call at a time.

    ``interchangeable``: an operator says that the embeddings of its models lie in one space, so that any may be taken.
    """

    model: str
    routes: tuple[Route, ...]
    hedge: Hedge | None = None
    interchangeable: bool = False

    def route(self, name: str) -> Route | None:
        return next((route for route in self.routes if route.name == name), None)

"""What spans and their attributes are called: the one place that knows OpenTelemetry's conventions.

Those for generative AI are in development, and their names change. Two generations can be told: that of the
conventions' own repository since it left version 1.36 behind, and 1.36 itself
(https://opentelemetry.io/docs/specs/semconv/gen-ai/). Those for messaging name producer and consumer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING

from holdfast.model.route import Api, Dialect

if TYPE_CHECKING:
    from holdfast.model.reply import Usage

# Messaging
SYSTEM = "messaging.system"
OPERATION_NAME = "messaging.operation.name"
OPERATION_TYPE = "messaging.operation.type"
DESTINATION = "messaging.destination.name"
MESSAGE = "messaging.message.id"
MESSAGES = "messaging.batch.message_count"
# Errors and servers
ERROR = "error.type"
STATUS_CODE = "http.response.status_code"
SERVER, PORT = "server.address", "server.port"
# Generative AI, in both generations
OPERATION = "gen_ai.operation.name"
REQUEST_MODEL = "gen_ai.request.model"
MAX_TOKENS = "gen_ai.request.max_tokens"
TEMPERATURE = "gen_ai.request.temperature"
TOP_P = "gen_ai.request.top_p"
RESPONSE_MODEL = "gen_ai.response.model"
FINISH_REASONS = "gen_ai.response.finish_reasons"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
# Our own
JOB = "holdfast.job.id"
BATCH = "holdfast.batch.id"
GENERATION = "holdfast.job.generation"
MODEL = "holdfast.model"
ROUTE = "holdfast.route"
ATTEMPT = "holdfast.attempt.number"
STEP = "holdfast.step"
REQUEST_ID = "holdfast.provider_request.id"


@dataclass(frozen=True, slots=True)
class Conventions:
    """One generation: the attribute of the provider's name, and the names that it has for some providers."""

    provider: str
    names: Mapping[str, str] = field(default_factory=dict)
    parts: Mapping[str, Callable[["Usage"], int]] = field(default_factory=dict)  # attributes of parts of the usage


LATEST = Conventions(
    "gen_ai.provider.name",
    parts={
        "gen_ai.usage.cache_read.input_tokens": attrgetter("cached"),
        "gen_ai.usage.cache_creation.input_tokens": attrgetter("cache_written"),
        "gen_ai.usage.reasoning.output_tokens": attrgetter("reasoning"),
    },
)
V1_36 = Conventions("gen_ai.system", {"azure.ai.openai": "az.ai.openai", "x_ai": "xai"})
GENERATIONS = {"latest": LATEST, "1.36": V1_36}

DIALECTS: Mapping[Dialect, str] = {
    Dialect.OPENAI: "openai",
    Dialect.AZURE: "azure.ai.openai",
    Dialect.GEMINI: "gcp.gemini",
    Dialect.MISTRAL: "mistral_ai",
    Dialect.GROQ: "groq",
    Dialect.XAI: "x_ai",
    Dialect.DEEPSEEK: "deepseek",
}
CLOUDS = {
    "bedrock": "aws.bedrock",
    "vertex": "gcp.vertex_ai",
    "google-cloud": "gcp.vertex_ai",
    "azure": "azure.ai.openai",
}
# How the endpoints are called that have a name; what has none is told by its path.
OPERATIONS = {
    "/v1/messages": "chat",
    "/chat/completions": "chat",
    "/responses": "chat",
    "/completions": "text_completion",
    "/embeddings": "embeddings",
}


def provider_name(api: Api, dialect: Dialect | None, own: str) -> str:
    """Name a provider as the conventions do; ``own``, as the configuration names it, where they have no name for it.

    >>> provider_name(Api.ANTHROPIC_BEDROCK, None, "aws"), provider_name(Api.OPENAI_CHAT, Dialect.VLLM, "ours")
    ('aws.bedrock', 'ours')
    """
    cloud = next((name for part, name in CLOUDS.items() if part in api.value), None)
    if cloud is not None:
        return cloud
    return "anthropic" if api.wire is Api.ANTHROPIC else DIALECTS.get(dialect or Dialect.COMPATIBLE, own)


def operation_of(path: str | None) -> str:
    """Name what an endpoint does. None: a request in the neutral form, which is a chat.

    >>> operation_of("/embeddings"), operation_of("/fim/completions")
    ('embeddings', '/fim/completions')
    """
    return "chat" if path is None else OPERATIONS.get(path, path)


def messaging(operation: str, lane: str | None) -> dict[str, str | None]:
    """What every span of a job's way through its lane says; ``lane`` None: it is about several."""
    return {SYSTEM: "holdfast", OPERATION_TYPE: operation, OPERATION_NAME: operation, DESTINATION: lane}

"""How servers of the Chat Completions format differ: a small table, chosen by name or by address."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from holdfast.model.route import Dialect

PLAIN = re.compile(r"^(?:openai/)?(?:chatgpt-|gpt-[34])")  # OpenAI's models that know no effort
REASONING = re.compile(r"^(?:openai/)?(?:o[1-9]\b|gpt-[5-9])")  # they refuse max_tokens, stop and sampling


@dataclass(frozen=True, slots=True)
class ServerProfile:
    """How one kind of server differs.

    ``refused`` are native fields that it answers with 400. ``user`` None: it has no such field. ``cuts``: a prompt that
    is too long is cut, and nothing is said. ``efforts`` that it knows; None: whatever its model knows.
    """

    name: str
    max_tokens: str
    user: str | None
    refused: frozenset[str] = frozenset()
    cuts: bool = False
    efforts: frozenset[str] | None = None


LEVELS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")  # of effort, from the least
THREE = frozenset({"low", "medium", "high"})

OPENAI = ServerProfile("OpenAI", "max_completion_tokens", "safety_identifier")
AZURE = ServerProfile("Azure", "max_completion_tokens", "user")
COMPATIBLE = ServerProfile("this server", "max_tokens", "user")
GEMINI = ServerProfile(
    "Gemini",
    "max_tokens",
    None,
    frozenset(
        {
            "seed", "frequency_penalty", "presence_penalty", "logit_bias", "store", "metadata", "service_tier",
            "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "verbosity", "prediction",
        }
    ),
    efforts=THREE | {"none", "minimal"},
)  # fmt: skip
SERVER_PROFILES: Mapping[Dialect, ServerProfile] = {
    Dialect.OPENAI: OPENAI,
    Dialect.GEMINI: GEMINI,
    Dialect.VLLM: ServerProfile("vLLM", "max_tokens", "user", efforts=THREE),
    Dialect.OLLAMA: ServerProfile("Ollama", "max_tokens", None, cuts=True, efforts=THREE | {"none"}),
    Dialect.LLAMA_CPP: ServerProfile("llama.cpp", "max_tokens", None, efforts=THREE),
    Dialect.LM_STUDIO: ServerProfile("LM Studio", "max_tokens", None, cuts=True, efforts=THREE),
    Dialect.OPENROUTER: ServerProfile("OpenRouter", "max_tokens", "user", efforts=frozenset(LEVELS) - {"max"}),
    Dialect.COMPATIBLE: COMPATIBLE,
}
HOSTS: Mapping[str, Dialect] = {  # ends of host names
    ".googleapis.com": Dialect.GEMINI,
    ".openai.com": Dialect.OPENAI,
    ".azure.com": Dialect.OPENAI,
    ".openrouter.ai": Dialect.OPENROUTER,
}
PORTS: Mapping[int, Dialect] = {11434: Dialect.OLLAMA, 1234: Dialect.LM_STUDIO}  # where these listen by default


def profile_of(base_url: str, dialect: Dialect | None = None) -> ServerProfile:
    """Choose the profile by its name, else by the server's address.

    >>> profile_of("https://generativelanguage.googleapis.com/v1beta/openai/").name
    'Gemini'
    >>> profile_of("http://localhost:11434/v1").name
    'Ollama'
    >>> profile_of("http://localhost:8000/v1", Dialect.VLLM).name
    'vLLM'
    """
    return SERVER_PROFILES[dialect or dialect_of(base_url)]


def dialect_of(base_url: str) -> Dialect:
    address = urlsplit(base_url)
    host = f".{address.hostname or ''}"
    known = next((dialect for end, dialect in HOSTS.items() if host.endswith(end)), None)
    return known or PORTS.get(address.port or 0, Dialect.COMPATIBLE)


def reasons(model: str) -> bool:
    """True for OpenAI models that reason, and so refuse ``max_tokens``, ``stop`` and sampling.

    >>> [reasons(name) for name in ("gpt-5.4", "o3", "gpt-4o", "llama3")]
    [True, True, False, False]
    """
    return REASONING.match(model) is not None


def effort_of(effort: str | None, model: str, profile: ServerProfile) -> str | None:
    """The effort as a server knows it: the nearest level it has; None where it, or the model, has none such.

    >>> [effort_of(level, "m", GEMINI) for level in ("max", "minimal", "none")]
    ['high', 'minimal', 'none']
    >>> [effort_of(level, "m", SERVER_PROFILES[Dialect.VLLM]) for level in ("xhigh", "minimal", "none")]
    ['high', 'low', None]
    >>> effort_of("high", "gpt-4o", OPENAI), effort_of("max", "gpt-6.2-sol", OPENAI)
    (None, 'max')
    """
    if effort is None or PLAIN.match(model):
        return None
    if profile.efforts is None or effort in profile.efforts or effort not in LEVELS:
        return effort
    known = [level for level in LEVELS if level in profile.efforts and level != "none"]
    wanted = LEVELS.index(effort)
    if effort == "none":
        return None
    return min(known, key=lambda level: abs(LEVELS.index(level) - wanted))

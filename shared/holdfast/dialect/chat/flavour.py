"""How servers of the Chat Completions format differ: a small table, chosen by name or by address."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from holdfast.model.route import Dialect

REASONING = re.compile(r"^(?:openai/)?(?:o[1-9]\b|gpt-[5-9])")  # they refuse max_tokens, stop and sampling


@dataclass(frozen=True, slots=True)
class Flavour:
    """How one kind of server differs.

    ``refused`` are native fields that it answers with 400. ``user`` None: it has no such field. ``cuts``: a prompt that
    is too long is cut, and nothing is said.
    """

    name: str
    max_tokens: str
    user: str | None
    refused: frozenset[str] = frozenset()
    cuts: bool = False


OPENAI = Flavour("OpenAI", "max_completion_tokens", "safety_identifier")
AZURE = Flavour("Azure", "max_completion_tokens", "user")
COMPATIBLE = Flavour("this server", "max_tokens", "user")
GEMINI = Flavour(
    "Gemini",
    "max_tokens",
    None,
    frozenset(
        {
            "seed", "frequency_penalty", "presence_penalty", "logit_bias", "store", "metadata", "service_tier",
            "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "verbosity", "prediction",
        }
    ),
)  # fmt: skip
FLAVOURS: Mapping[Dialect, Flavour] = {
    Dialect.OPENAI: OPENAI,
    Dialect.GEMINI: GEMINI,
    Dialect.VLLM: Flavour("vLLM", "max_tokens", "user"),
    Dialect.OLLAMA: Flavour("Ollama", "max_tokens", None, cuts=True),
    Dialect.LLAMA_CPP: Flavour("llama.cpp", "max_tokens", None),
    Dialect.LM_STUDIO: Flavour("LM Studio", "max_tokens", None, cuts=True),
    Dialect.OPENROUTER: Flavour("OpenRouter", "max_tokens", "user"),
    Dialect.COMPATIBLE: COMPATIBLE,
}
HOSTS: Mapping[str, Dialect] = {  # ends of host names
    ".googleapis.com": Dialect.GEMINI,
    ".openai.com": Dialect.OPENAI,
    ".azure.com": Dialect.OPENAI,
    ".openrouter.ai": Dialect.OPENROUTER,
}
PORTS: Mapping[int, Dialect] = {11434: Dialect.OLLAMA, 1234: Dialect.LM_STUDIO}  # where these listen by default


def flavour_of(base_url: str, dialect: Dialect | None = None) -> Flavour:
    """Choose the flavour by its name, else by the server's address.

    >>> flavour_of("https://generativelanguage.googleapis.com/v1beta/openai/").name
    'Gemini'
    >>> flavour_of("http://localhost:11434/v1").name
    'Ollama'
    >>> flavour_of("http://localhost:8000/v1", Dialect.VLLM).name
    'vLLM'
    """
    return FLAVOURS[dialect or dialect_of(base_url)]


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

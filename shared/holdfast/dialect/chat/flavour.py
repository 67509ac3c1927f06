"""How servers of the Chat Completions format differ: a small table, chosen by host."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

REASONING = re.compile(r"^(?:openai/)?(?:o[1-9]\b|gpt-[5-9])")  # they refuse max_tokens, stop and sampling


@dataclass(frozen=True, slots=True)
class Flavour:
    """``refused`` are native fields that this server answers with 400. ``user`` None: it has no such field."""

    name: str
    max_tokens: str
    user: str | None
    refused: frozenset[str] = frozenset()


OPENAI = Flavour("OpenAI", "max_completion_tokens", "safety_identifier")
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


def flavour_of(base_url: str) -> Flavour:
    """Choose the flavour of the server at ``base_url``.

    >>> flavour_of("https://generativelanguage.googleapis.com/v1beta/openai/").name
    'Gemini'
    >>> flavour_of("http://localhost:11434/v1").max_tokens
    'max_tokens'
    """
    host = urlsplit(base_url).hostname or ""
    if host.endswith("googleapis.com"):
        return GEMINI
    return OPENAI if host.endswith((".openai.com", ".azure.com")) else COMPATIBLE


def reasons(model: str) -> bool:
    """True for OpenAI models that reason, and so refuse ``max_tokens``, ``stop`` and sampling.

    >>> [reasons(name) for name in ("gpt-5.4", "o3", "gpt-4o", "llama3")]
    [True, True, False, False]
    """
    return REASONING.match(model) is not None

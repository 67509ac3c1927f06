"""Why an answer ended: a provider's word for it becomes a neutral finish, or says that there is no answer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from holdfast.model.fault import FaultKind
from holdfast.model.reply import Finish
from holdfast.wire.bad_answer import BadAnswer

# Words of the provider that say nothing, as an end that is missing does.
NOTHING = frozenset({"", "none", "null", "unspecified", "finish_reason_unspecified"})
# An answer that goes on when it is sent back: Anthropic's server tools took long, or its context was summarised.
PAUSED = frozenset({"pause_turn", "compaction"})
LONGEST_WORD = 100  # characters that are kept of it

# What the parts of a word mean that no format documents, the first family that has one of them decides. Compatible
# servers write the same few meanings in many ways: MAX_TOKENS, model_length, REASON_MAX_CONTEXT;
# ``content_filter: PROHIBITED_CONTENT``, SPII, sensitive; eos_token, COMPLETE. Sources: FinishReason of Gemini's and
# Vertex's API reference, DeepSeek's, Mistral's, xAI's and Zhipu's chat completion references, vLLM's FinishReason.
FAMILIES: Mapping[frozenset[str], Finish | FaultKind] = {
    frozenset({"malformed", "unexpected", "invalid", "missing"}): FaultKind.BAD_OUTPUT,  # the model's own slip
    frozenset(
        {
            "filter", "filtered", "safety", "blocklist", "blocked", "block", "recitation", "spii", "prohibited",
            "refusal", "refused", "sensitive", "moderation", "moderated", "policy", "guardrail", "guardrails",
            "violation", "unsafe", "harm", "harmful", "armor", "flagged",
        }
    ): Finish.REFUSED,
    frozenset(
        {"insufficient", "resource", "resources", "overloaded", "capacity", "busy", "unavailable", "rate"}
    ): FaultKind.OVERLOADED,
    frozenset(
        {
            "error", "failed", "failure", "abort", "aborted", "cancelled", "canceled", "network", "timeout",
            "exception",
        }
    ): FaultKind.SERVER_ERROR,
    frozenset(
        {"length", "len", "max", "maximum", "window", "limit", "truncated", "truncation", "context"}
    ): Finish.LENGTH,
    frozenset({"tool", "tools", "function"}): Finish.TOOL_CALLS,
    frozenset({"stop", "stopped", "eos", "eot", "end", "ended", "complete", "completed", "done"}): Finish.STOP,
}  # fmt: skip
PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


@dataclass(frozen=True, slots=True)
class End:
    """How an answer ended. ``finish`` is None where the provider told nothing, ``word`` is what it told."""

    finish: Finish | None
    word: str | None


def read_end(word: Any, documented: Mapping[str, Finish], what: str) -> End:
    """Return what a provider's word for the end means, first by its own documentation. Case does not matter.

    Raises: BadAnswer: the word says that there is no answer.

    >>> read_end("MAX_TOKENS", {}, "completion").finish, read_end("repetition", {}, "completion").finish
    (<Finish.LENGTH: 'length'>, <Finish.OTHER: 'other'>)
    """
    if not isinstance(word, str):
        return End(None, None)
    found = documented.get(word) or _undocumented(word.strip().lower(), word, documented)
    if found is None:
        return End(None, None)
    if isinstance(found, FaultKind):
        raise BadAnswer(f"the {what} ended with {word[:LONGEST_WORD]}.", found, word[:LONGEST_WORD])
    return End(found, word[:LONGEST_WORD])


def _undocumented(plain: str, word: str, documented: Mapping[str, Finish]) -> Finish | FaultKind | None:
    """What a word means that stands otherwise in the documentation, or not at all. None: it says nothing."""
    return None if plain in NOTHING else documented.get(plain) or meaning(word)


def meaning(word: str) -> Finish | FaultKind:
    """Return what a word means by its parts: OTHER where none of them is known.

    >>> [meaning(word).value for word in ("eos_token", "content_filter: SPII", "insufficient_system_resource")]
    ['stop', 'refused', 'overloaded']
    """
    parts = {part.lower() for part in PARTS.findall(word)}
    return next((found for family, found in FAMILIES.items() if parts & family), Finish.OTHER)

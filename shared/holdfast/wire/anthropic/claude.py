"""What Claude models know of a request's options, by the version in their names.

Names differ by cloud (``claude-opus-4-8``, ``us.anthropic.claude-sonnet-4-5-20250929-v1:0``, ``claude-haiku-4-5@1``),
and a name without a version is taken for a model of today.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

NAME = re.compile(
    r"claude-(?:instant-)?(?:[a-z]+-)?(?P<major>\d)(?:[-.](?P<minor>\d{1,2})(?!\d))?(?:-(?P<family>[a-z]+))?"
)
TODAY = (5, 0)
ALL_LEVELS = frozenset({"low", "medium", "high", "xhigh", "max"})  # OutputConfigParam.effort of the SDK
# Tokens of thinking for a level, where a model knows only budgets; the least is 1,024 (ThinkingConfigEnabledParam), and
# more than 32,000 hardly help (platform.claude.com/docs, extended thinking).
BUDGETS = {"minimal": 1_024, "low": 2_048, "medium": 8_192, "high": 16_384, "xhigh": 24_576, "max": 32_000}
LEAST_BUDGET = 1_024


@dataclass(frozen=True, slots=True)
class Claude:
    """Sources: platform.claude.com/docs/en/build-with-claude, the page named beside each field."""

    efforts: frozenset[str]  # effort: of no model before Opus 4.5; max from 4.6 on, xhigh from Opus 4.7 on
    adaptive: bool  # adaptive-thinking: from 4.6 on, and effort alone does not make those of 4.x think
    budgets: bool  # extended-thinking: from Claude 3.7 to 4.6; later models answer 400
    later_system: bool  # mid-conversation-system-messages: from Opus 4.8 on, behind a user's turn
    begun_answers: bool  # api/errors#prefill-not-supported: no model after 4.5 goes on with one


@lru_cache
def claude_of(model: str) -> Claude:
    """Return what a model knows.

    >>> old = claude_of("anthropic.claude-sonnet-4-5-20250929-v1:0")
    >>> old.efforts, old.adaptive, old.budgets, old.later_system, old.begun_answers
    (frozenset(), False, True, False, True)
    >>> claude_of("claude-opus-4-8").later_system, claude_of("claude-3-5-sonnet-20241022").budgets
    (True, False)
    """
    version = version_of(model)
    return Claude(
        efforts=_efforts(version, "opus" in model),
        adaptive=version >= (4, 6) and "claude" in model,
        budgets=(3, 7) <= version < (4, 6),
        later_system=version >= (4, 8),
        begun_answers=version < (4, 6),
    )


def version_of(model: str) -> tuple[int, int]:
    """Return major and minor version of a model's name.

    >>> [version_of(name) for name in ("claude-opus-4-20250514", "claude-3-7-sonnet-20250219", "claude-fable-5-2", "x")]
    [(4, 0), (3, 7), (5, 2), (5, 0)]
    """
    found = NAME.search(model)
    return (int(found["major"]), int(found["minor"] or 0)) if found else TODAY


def _efforts(version: tuple[int, int], is_opus: bool) -> frozenset[str]:  # noqa: FBT001 - one fact of one caller
    if version >= (4, 7):
        return ALL_LEVELS
    if version >= (4, 6):
        return ALL_LEVELS - {"xhigh"}
    return ALL_LEVELS - {"xhigh", "max"} if version == (4, 5) and is_opus else frozenset()


def budget_of(effort: str, max_tokens: int) -> int | None:
    """Return the tokens of thinking for a level: at most half of what may be said; None where that is too little.

    >>> budget_of("high", 64_000), budget_of("high", 8_192), budget_of("high", 1_500)
    (16384, 4096, None)
    """
    budget = min(BUDGETS.get(effort, BUDGETS["medium"]), max_tokens // 2)
    return budget if budget >= LEAST_BUDGET else None

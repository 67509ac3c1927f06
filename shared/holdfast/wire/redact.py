"""The message of a fault: what the provider said, without prompt text and without keys."""

import re
from collections.abc import Sequence

LONGEST = 300  # characters of a provider's message that are kept
RUN = 24  # characters: so long a run that also stands in the prompt is prompt text
SECRET = re.compile(r"\b(?:(?:sk|key)[-_]|AIza|Bearer )[A-Za-z0-9*_-]{4,}|[A-Za-z0-9_-]{32,}")
QUOTED = re.compile(r"'[^']{40,}'|\"[^\"]{40,}\"")


def redact(status: int, codes: Sequence[str], message: str, prompt: str = "") -> str:
    """Say what the provider answered, safe to show.

    >>> redact(401, ["invalid_api_key"], "Incorrect API key provided: sk-proj-abc***xyz1.")
    '401 invalid_api_key: Incorrect API key provided: ….'
    """
    head = " ".join([str(status), *codes[:1]])
    text = " ".join(SECRET.sub("…", QUOTED.sub("…", message[:LONGEST])).split())
    return head if not text or repeats(text, prompt) else f"{head}: {text}"


def repeats(text: str, prompt: str) -> bool:
    """True where a long run of ``text`` also stands in ``prompt``."""
    flat = " ".join(prompt.split())
    if len(text) <= RUN:
        return text in flat
    return any(text[start : start + RUN] in flat for start in range(0, len(text) - RUN + 1, RUN // 2))

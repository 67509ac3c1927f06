"""What dead letters died of, as groups: the same provider, status, code and words are one cause. Pure."""

import re
from dataclasses import dataclass
from hashlib import blake2b

from holdfast.model.sentences import end_sentence
from holdfast.policy.story import BEFORE

UNKNOWN_CAUSE = "unknown"  # of what died before causes were kept
LONGEST = 200  # characters of a message that count
KEY_BYTES = 8
# What differs from one call to the next and says nothing of the cause: ids, long digests, numbers.
VARIABLE = re.compile(
    r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
    r"|\b[A-Za-z]{2,12}_(?=[A-Za-z0-9]*\d)[A-Za-z0-9]{6,}\b"
    r"|\b(?=[0-9a-f]*\d)[0-9a-f]{12,}\b"
    r"|\d+(?:[.,:]\d+)*"
)
SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class DeathCause:
    """``message`` is normalised. ``provider`` is "" where no call ended the job."""

    fault: str
    provider: str
    status: int | None
    code: str | None
    message: str

    @property
    def key(self) -> str:
        """A short name for the cause, the same in every process and every version that normalises alike."""
        said = "\0".join((self.fault, self.provider, str(self.status or ""), self.code or "", self.message))
        return blake2b(said.encode(errors="replace"), digest_size=KEY_BYTES).hexdigest()


def cause_of(fault: str, route: str | None, status: int | None, code: str | None, message: str | None) -> DeathCause:
    """Name the cause of a dead letter from its terminal record."""
    return DeathCause(fault, (route or "").partition("/")[0], status, code, normal_message(message or ""))


def normal_message(message: str) -> str:
    """Leave out of a message what differs from job to job, and what other routes said before.

    >>> normal_message("maximum is 4,096 tokens, got 5012 (request req_011CSHoEeqs5C35K2UUqR7Fy)")
    'maximum is # tokens, got # (request #)'
    >>> normal_message("bad key 'model'. Before that: openai/gpt said overloaded")
    "bad key 'model'"
    >>> normal_message("bad key.") == normal_message("bad key. Before that: a said overloaded") == "bad key"
    True
    """
    first = end_sentence(message.partition(BEFORE)[0])
    return SPACE.sub(" ", VARIABLE.sub("#", first[: 4 * LONGEST])).strip()[:LONGEST]

"""What dead letters died of, as groups: the same provider, status, code and words are one cause. Pure."""

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from holdfast.model.sentences import end_sentence
from holdfast.policy.story import BEFORE

UNKNOWN_CAUSE = "unknown"  # of what died before causes were kept
LONGEST = 200  # characters of a message that count
KEY_BYTES = 8
# What differs from one call to the next and says nothing of the cause: ids, long digests, numbers.
VARIABLE = (
    r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
    r"|\b[A-Za-z]{2,12}_(?=[A-Za-z0-9]*\d)[A-Za-z0-9]{6,}\b"
    r"|\b(?=[0-9a-f]*\d)[0-9a-f]{12,}\b"
    r"|\d+(?:[.,:]\d+)*"
)
# What has digits and is a name: a route, as ``provider/model``. Neither an address nor a path inside one is.
ROUTE = r"(?<![\w./:-])[A-Za-z][\w.-]*(?:/[A-Za-z][\w.:-]*\w)+(?![\w/])"
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
    return DeathCause(fault, (route or "").partition("/")[0], status, code, normal_message(message or "", route))


def normal_message(message: str, route: str | None = None) -> str:
    """Leave out of a message what differs from job to job, and what other routes said before.

    Names of routes stay, and that of the model of ``route``, which is where the message comes from.

    >>> normal_message("maximum is 4,096 tokens, got 5012 (request req_011CSHoEeqs5C35K2UUqR7Fy)")
    'maximum is # tokens, got # (request #)'
    >>> normal_message("bad key 'model'. Before that: openai/gpt said overloaded")
    "bad key 'model'"
    >>> normal_message("bad key.") == normal_message("bad key. Before that: a said overloaded") == "bad key"
    True
    >>> normal_message("model gpt-5.1 takes 4096 tokens, and openai/gpt-4o-mini fewer", "azure/gpt-5.1")
    'model gpt-5.1 takes # tokens, and openai/gpt-4o-mini fewer'
    """
    first = end_sentence(message.partition(BEFORE)[0])
    told = _variable(route or "").sub(lambda found: found["name"] or "#", first[: 4 * LONGEST])
    return SPACE.sub(" ", told).strip()[:LONGEST]


@lru_cache(maxsize=64)
def _variable(route: str) -> re.Pattern[str]:
    """Match what a message varies in, and before it the names that stay."""
    model = route.partition("/")[2]
    own = rf"|(?<![\w.-]){re.escape(model)}(?![\w-])" if model else ""
    return re.compile(rf"(?P<name>{ROUTE}{own})|{VARIABLE}")

"""The maximum of output tokens that an error says it would have granted."""

import re
from collections.abc import Callable, Iterator

from holdfast.wire.faults.hints import is_too_long
from holdfast.wire.faults.wordings import OUTPUT, SENTENCE

LARGEST = 10_000_000  # tokens; a larger ceiling is none
_NUMBER = r"(\d[\d,_]{0,9})"
_AT_MOST = (
    r"at most|(?:less|fewer|smaller) than or equal to|<=|≤|not exceed|only afford|maximum(?: value)?(?: of| is|:)?"
    r"|limit(?: of| is|:)?|supports (?:up to )?"
)
AFFORD = re.compile(r"only afford", re.IGNORECASE)
# What is left of a context (vLLM names what was asked, the context, and the input) is a ceiling for sure.
LEFT = re.compile(rf"\({_NUMBER} ?> ?{_NUMBER} ?- ?{_NUMBER}\)")
RANGES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], int]], ...] = (
    (re.compile(rf"\[ ?\d+ ?, ?{_NUMBER} ?\]"), lambda found: _figure(found[1])),
    (re.compile(rf"between \d+ and {_NUMBER}"), lambda found: _figure(found[1])),
    (re.compile(rf"to {_NUMBER} \(exclusive\)"), lambda found: _figure(found[1]) - 1),
    (re.compile(rf"to {_NUMBER} \(inclusive\)"), lambda found: _figure(found[1])),
    (re.compile(rf"\d ?> ?{_NUMBER}"), lambda found: _figure(found[1])),
    (re.compile(rf"(?:{_AT_MOST}) {_NUMBER}", re.IGNORECASE), lambda found: _figure(found[1])),
)


def find_ceiling(message: str) -> int | None:
    """The most output tokens that an error says it would have granted; None where it names none.

    >>> [find_ceiling(text) for text in ("max_tokens: 8192 > 4096, the most", "max_tokens: the range is [1, 8192]")]
    [4096, 8192]
    """
    return next((found for each in SENTENCE.split(message) for found in _ceilings(each) if 0 < found <= LARGEST), None)


def _ceilings(sentence: str) -> Iterator[int]:
    left = LEFT.search(sentence)
    if left:
        yield _figure(left[2]) - _figure(left[3])
    elif AFFORD.search(sentence) or (OUTPUT.search(sentence) and not is_too_long(sentence)):
        yield from (read(found) for pattern, read in RANGES if (found := pattern.search(sentence)))


def _figure(text: str) -> int:
    return int(re.sub(r"[,_]", "", text))

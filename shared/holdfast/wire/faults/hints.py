"""What the wording of an error hints at, where no code tells.

Each recogniser asks for a thing and for what is wrong with it, in one sentence: providers say the same in a hundred
ways. A wrong guess costs little, since policy compares routes and jobs before it concludes.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from holdfast.model.fault import FaultKind as Kind
from holdfast.wire.faults import wordings as w

TOO_MANY_REQUESTS, NOT_FOUND = 429, 404
LONG_QUOTE = 30  # characters


@dataclass(frozen=True, slots=True)
class Wording:
    """What an error says in words."""

    status: int
    """HTTP status; 200 where an answer tells of a failure."""
    sentences: Sequence[str]
    """Its sentences, and the words of codes that no table knows."""
    params: Sequence[str] = ()
    """Parts of the request that it speaks of."""
    waits: bool = False
    """Whether it says when to come again."""

    def says(self, pattern: w.LazyPattern) -> bool:
        return any(pattern.search(each) for each in self.sentences)


def read_wording(
    status: int, message: str, codes: Sequence[str] = (), params: Sequence[str] = (), *, waits: bool = False
) -> Wording:
    """Split what an error says into sentences."""
    sentences = [*w.SENTENCE.split(without_quotes(message)), *(words_of(code) for code in codes)]
    return Wording(status, [each for each in sentences if each.strip()], params, waits)


def without_quotes(message: str) -> str:
    """Leave out addresses, and what is quoted at length: it may be the prompt's.

    >>> without_quotes("`n` of 'a sentence that somebody else has written' is wrong")
    '`n` of   is wrong'
    """
    text = w.ADDRESS.sub(" ", message)
    return w.QUOTED.sub(lambda found: " " if len(found[2]) >= LONG_QUOTE else found[0], text)


def words_of(code: str) -> str:
    """The words of a code, for the recognisers.

    >>> words_of("BalanceUsed_up")
    'balance used up'
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[_.:/-]+", " ", code).lower()


def find_hint(wording: Wording) -> Kind | None:
    """The kind that an error's wording hints at; None where it hints at none."""
    meant = (
        kind for (statuses, is_meant), kind in _RECOGNISERS.items() if wording.status in statuses and is_meant(wording)
    )
    return next(meant, None)


def is_too_long(sentence: str) -> bool:
    """Whether a sentence says that a request as a whole is too long: not its maximum of output tokens alone."""
    if never_fits(sentence) or w.TOO_MUCH.search(sentence):
        return not _is_about_output_alone(sentence)
    if w.RATE.search(sentence) or _is_about_output_alone(sentence):
        return False
    rest = w.OUTPUT.sub(" ", sentence)
    return bool(w.CONTEXT.search(rest) and w.LENGTH.search(rest) and w.BEYOND.search(rest))


def never_fits(sentence: str) -> bool:
    """Whether one request asks for more than a limit gives at all, so that no wait helps."""
    asked = w.ASKED.search(sentence)
    return bool(w.REQUEST_TOO_LARGE.search(sentence) or (asked and float(asked[2]) > float(asked[1])))


def _is_about_output_alone(sentence: str) -> bool:
    return bool(w.OUTPUT.search(sentence)) and not w.WITH_INPUT.search(w.OUTPUT.sub(" ", sentence))


def _says_too_long(wording: Wording) -> bool:
    return any(map(never_fits if wording.status == TOO_MANY_REQUESTS else is_too_long, wording.sentences))


def _says_money(wording: Wording) -> bool:
    """Money in all its words; a quota only where it is one of a plan, not of a minute."""
    if wording.says(w.SURELY_MONEY):
        return True
    if wording.status == TOO_MANY_REQUESTS and (wording.waits or wording.says(w.RATE)):
        return False
    has_plan = wording.says(w.PLAN)
    return any(_lacks_money(each, has_plan=has_plan) for each in wording.sentences)


def _lacks_money(sentence: str, *, has_plan: bool) -> bool:
    if w.RATE.search(sentence):
        return False
    money = w.MONEY.search(sentence) and w.LACKING.search(sentence)
    return bool(money or (has_plan and w.QUOTA.search(sentence) and w.USED_UP.search(sentence)))


def _says_filtered(wording: Wording) -> bool:
    return any(w.FILTERED.search(each) and not w.SHUT.search(each) for each in wording.sentences)


def _says_key(wording: Wording) -> bool:
    return any((w.KEY.search(each) and w.REJECTED.search(each)) or w.SHUT.search(each) for each in wording.sentences)


def _says_item(wording: Wording) -> bool:
    refers = wording.status == NOT_FOUND and not w.REFERENCES.isdisjoint(wording.params)
    return refers or wording.says(w.ITEM_GONE)


def _says(pattern: w.LazyPattern) -> Callable[[Wording], bool]:
    return lambda wording: wording.says(pattern)


_FAILURES = frozenset(range(500, 600))
# In this order: what is said more exactly comes before what is said more loosely.
_RECOGNISERS: Mapping[tuple[frozenset[int], Callable[[Wording], bool]], Kind] = {
    (frozenset({TOO_MANY_REQUESTS}), _says(w.NO_FREE_TIER)): Kind.FORBIDDEN,
    (frozenset({400, 401, 403}), _says(w.CLOCK)): Kind.CLOCK_SKEW,
    (frozenset({200, 400, 403, 413, 414, 422, 429, 500, 502, 503}), _says_too_long): Kind.TOO_LONG,
    (_FAILURES | {200, *range(400, 500)}, _says_money): Kind.SPEND_LIMIT,
    (frozenset({TOO_MANY_REQUESTS}), _says(w.RATE)): Kind.RATE_LIMITED,
    (frozenset({200, 400, 403, 422, 451}), _says_filtered): Kind.REFUSED,
    (frozenset({200, 400, 403, 404, 412, 422}), _says_key): Kind.AUTH,
    (frozenset({200, 400, 403, 404, 410, 422}), _says(w.MODEL_GONE)): Kind.MODEL_NOT_FOUND,
    (frozenset({400, 404, 410}), _says_item): Kind.INVALID_REQUEST,
    (frozenset({400, 404}), _says(w.FORBIDDEN)): Kind.FORBIDDEN,
    (_FAILURES | {200, 400, TOO_MANY_REQUESTS}, _says(w.BUSY)): Kind.OVERLOADED,
}

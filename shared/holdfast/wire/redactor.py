"""Takes live keys and tokens out of whatever a provider said, before it is kept or told.

A provider may repeat a key anywhere: in a message, as a code, as the name of the call, in the answer itself; cut,
split, in base64 or escaped for a URL. Nothing of that is a matter of its honesty: gateways echo headers.
"""

import base64
import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from urllib.parse import quote, quote_plus

from holdfast.model.call_result import CallResult, ProviderResponse
from holdfast.model.fault import Fault
from holdfast.model.reply import Reply

HIDDEN = "…"
SHORTEST = 8  # letters and digits of a secret: anything shorter may stand in a sentence by chance
RUN = 12  # letters and digits: so many of a secret, in a row, are hidden
STRIDE_FROM = 64  # of longer secrets only every twelfth run is looked for, and what stands around it is hidden too
REMEMBERED = 3  # secrets of one credential: the one in use, and those that calls under way may still use
LONGEST = 100_000  # characters of a text that are looked through for parts of secrets; a longer one for whole ones
OK = 200
REPEATED = 256  # names of models and calls, and codes, that are not looked through again


class Redactor:
    """Knows the secrets that this process logs in with. Safe to share between the coroutines of one event loop."""

    def __init__(self) -> None:
        self._secrets: dict[str, deque[str]] = {}
        self._runs: dict[int, frozenset[str]] = {}
        self._whole: tuple[str, ...] = ()
        self._pad = 0
        self._name = lru_cache(REPEATED)(self.text)  # a model's name comes with every call, that of a call twice

    def learn(self, name: str, secret: str) -> None:
        """Hide ``secret`` of the credential ``name`` from now on; those before it for a while longer."""
        known = self._secrets.setdefault(name, deque(maxlen=REMEMBERED))
        if len(_letters(secret)) < SHORTEST or secret in known:
            return
        known.append(secret)
        self._rebuild()

    def result(self, result: CallResult) -> CallResult:
        """The result of a call, with nothing in it that repeats a secret."""
        if not self._whole:
            return result
        response = None if result.response is None else self._response(result.response)
        outcome = result.outcome
        if isinstance(outcome, Fault):
            return replace(result, outcome=self._fault(outcome), response=response)
        unchanged = result.response is not None and response is not None and response.body == result.response.body
        return replace(result, outcome=self._reply(outcome, look_inside=not unchanged), response=response)

    def text(self, text: str) -> str:
        """``text`` without secrets, and without parts of them.

        >>> redactor = Redactor()
        >>> redactor.learn("main", "sk-live-0123456789abcdef")
        >>> redactor.text("wrong key sk-live-01234567"), redactor.text("wrong key 'sk-live-' '0123456789abcdef'")
        ('wrong key …', "wrong key '…'")
        """
        text = self._hide_whole(text)
        if len(text) > LONGEST:
            return text
        letters, places = _places(text)
        return _hide(text, self._found(letters, places))

    def _fault(self, fault: Fault) -> Fault:
        return replace(
            fault,
            message=self.text(fault.message),
            code=self._short(fault.code),
            provider_request_id=self._short(fault.provider_request_id),
        )

    def _reply(self, reply: Reply, *, look_inside: bool) -> Reply:
        """What a server says of its answer is looked through like an error; what the model says, for whole secrets."""
        model, name = self._name(reply.model), self._short(reply.provider_request_id)
        safe = reply
        if (model, name) != (reply.model, reply.provider_request_id):
            safe = reply.model_copy(update={"model": model, "provider_request_id": name})
        if not look_inside:
            return safe
        said = safe.model_dump_json()
        hidden = self._hide_whole(said)
        return safe if hidden == said else Reply.model_validate_json(hidden)

    def _response(self, response: ProviderResponse) -> ProviderResponse:
        """An answer of status 200 is kept byte for byte, unless a whole secret stands in it."""
        if response.status == OK:
            body = response.body
            for secret in self._whole:
                body = body.replace(secret.encode("utf-8", "replace"), HIDDEN.encode())
        else:
            body = self.text(response.body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        return replace(response, body=body, request_id=self._short(response.request_id))

    def _short(self, text: str | None) -> str | None:
        return None if text is None else self._name(text)

    def _hide_whole(self, text: str) -> str:
        for secret in self._whole:
            text = text.replace(secret, HIDDEN)
        return text

    def _found(self, letters: str, places: list[int]) -> Iterator[tuple[int, int]]:
        for size, runs in self._runs.items():
            for start in range(len(letters) - size + 1):
                if letters[start : start + size] in runs:
                    first, last = max(0, start - self._pad), min(len(letters), start + size + self._pad)
                    yield places[first], places[last - 1] + 1

    def _rebuild(self) -> None:
        self._name.cache_clear()
        secrets = [secret for known in self._secrets.values() for secret in known]
        forms = dict.fromkeys(form for secret in secrets for form in _forms(secret))
        self._whole = tuple(forms)
        runs: dict[int, set[str]] = {}
        for letters in map(_letters, forms):
            stride = 1 if len(letters) < STRIDE_FROM else RUN
            size = min(RUN, len(letters))
            for start in range(0, len(letters) - size + 1, stride):
                runs.setdefault(size, set()).add(letters[start : start + size])
        self._runs = {size: frozenset(found) for size, found in runs.items() if size >= SHORTEST}
        self._pad = RUN - 1 if any(len(_letters(secret)) >= STRIDE_FROM for secret in secrets) else 0


def _forms(secret: str) -> Iterable[str]:
    """A secret as it may be written: plainly, for a URL, in JSON, and the part of any base64 that only it decides."""
    yield secret
    yield quote(secret, safe="", errors="replace")
    yield quote_plus(secret, errors="replace")
    yield secret.replace("/", "\\/")
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):
            encoded = encode(b"\0" * before + secret.encode("utf-8", "replace")).decode().rstrip("=")
            inner = encoded[-(-before * 8 // 6) : -1]
            if len(_letters(inner)) >= RUN:
                yield inner


def _letters(text: str) -> str:
    return "".join(letter for letter in text if letter.isalnum())


def _places(text: str) -> tuple[str, list[int]]:
    """The letters and digits of a text, and where in it they stand: what splits a secret stands between them."""
    places = [place for place, letter in enumerate(text) if letter.isalnum()]
    return "".join(text[place] for place in places), places


def _hide(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """``text`` with each span of it hidden, and what stands directly around a span between two of them."""
    shown, at = [], 0
    for first, last in _joined(sorted(spans)):
        shown += [text[at:first], HIDDEN]
        at = last
    return re.sub(rf"{HIDDEN}(?:[-_.*]*{HIDDEN})+", HIDDEN, "".join([*shown, text[at:]]))


def _joined(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Overlapping spans as one."""
    begin, end = -1, -1
    for first, last in spans:
        if first <= end:
            end = max(end, last)
            continue
        if begin >= 0:
            yield begin, end
        begin, end = first, last
    if begin >= 0:
        yield begin, end

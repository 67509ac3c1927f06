"""What a field case is: lines that are run, what the provider behind each route says to them, and how it has to end."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from holdfast.model.route import Api

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """One request as it stood on the wire. Header names in lower case."""

    path: str
    headers: Mapping[str, str]
    body: bytes


When = Callable[[SeenRequest], bool]


def any_request(_: SeenRequest) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider says, once to each request that ``when`` takes; the last of a kind again and again.

    ``body`` is written as JSON; bytes are sent as they are. A header may be made when the answer is sent.
    """

    body: Any
    status: int = 200
    when: When = any_request
    headers: Mapping[str, str | Callable[[], str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Right:
    """How one job has to end. What is None or empty is not looked at.

    ``says`` is text that its error holds, ``told`` text of the mapping report, ``response`` bytes of the body that is
    kept. ``fault`` is what it died of, ``first_fault`` what its first call was. ``route`` counts from 1.
    """

    state: str = "succeeded"
    route: int | None = None
    calls: int | None = None
    calls_at_most: int = 8
    text: str | None = None
    reasoning: str | None = None
    finish: str | None = None
    arguments: Mapping[str, Any] | None = None
    fault: str | None = None
    first_fault: str | None = None
    says: Sequence[str] = ()
    told: Sequence[str] = ()
    response: Sequence[bytes] = ()
    waits: tuple[float, float] | None = None


DONE = Right()
REFUSED_AT_THE_DOOR = "not accepted"


@dataclass(frozen=True, slots=True)
class Case:
    """``right`` says how jobs end by custom_id; ``others`` how the rest do.

    ``routes``: what each route's provider says, in the order of the plan. ``keys``: credentials of the first provider.
    ``parked``: whether a breaker of the first provider's keys has to be open afterwards. ``calls_to_first`` is the most
    that the first route may be asked in all. ``sent``: bytes that the first route must have got, ``not_sent`` must not;
    ``in_order`` what stands in its requests in this order.
    ``seconds``: within how many its ``others`` have to be done. The jobs of a ``held`` case
    wait for longer than a test does: they are looked at once each was tried.
    """

    name: str
    lines: Mapping[str, Line]
    routes: Sequence[Sequence[Answer]]
    api: Api = Api.OPENAI_CHAT
    right: Mapping[str, Right] = field(default_factory=dict)
    others: Right = DONE
    keys: Sequence[str] = ("main",)
    parked: bool | None = None
    calls_to_first: int | None = None
    sent: Sequence[bytes] = ()
    not_sent: Sequence[bytes] = ()
    in_order: Sequence[bytes] = ()
    seconds: float | None = None
    held: bool = False


def has(text: str) -> When:
    """Take requests whose body holds ``text``."""
    return lambda seen: text.encode() in seen.body


def key(name: str) -> When:
    """Take requests that log in with the credential ``name``."""
    return lambda seen: secret(name) in (seen.headers.get("authorization", "") + seen.headers.get("x-api-key", ""))


def secret(name: str) -> str:
    return f"sk-field-{name}"

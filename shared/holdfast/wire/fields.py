"""Reading JSON objects key by key: every problem names its place, and what nobody took is left over."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from holdfast.model.errors import InvalidRequest

T = TypeVar("T")
NAMES = {dict: "an object", list: "an array", str: "a string", bool: "true or false", int: "a whole number"}


class Fields:
    """The keys of one JSON object, taken one at a time. ``null`` counts as absent, as it does for the providers."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, Mapping):
            raise unexpected(where, "expected an object", value)
        self.where = where
        self.given: dict[str, Any] = dict(value)  # the whole object, whatever was taken of it
        self._left: dict[str, Any] = {key: item for key, item in value.items() if item is not None}
        self._inner: dict[str, Fields] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._left

    def place(self, key: str) -> str:
        return f"{self.where}.{key}" if self.where else key

    def any(self, key: str) -> Any:
        return self._left.pop(key, None)

    def peek(self, key: str) -> Any:
        """Return a value without taking it; an object that was opened, as it was given."""
        return self._inner[key].given if key in self._inner else self._left.get(key)

    def kind(self, key: str = "type") -> str:
        """Return a text without taking it; empty where there is none."""
        value = self.given.get(key)
        return value if isinstance(value, str) else ""

    def text(self, key: str) -> str | None:
        return self._typed(key, str)

    def need_text(self, key: str) -> str:
        return self._needed(key, self.text(key))

    def flag(self, key: str) -> bool | None:
        return self._typed(key, bool)

    def whole(self, key: str, low: int = 1) -> int | None:
        value = self.any(key)
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # JSON has one kind of number
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= low):
            return value
        raise unexpected(self.place(key), f"expected a whole number, at least {low}", value)

    def number(self, key: str) -> float | None:
        value = self.any(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise unexpected(self.place(key), "expected a number", value)
        try:
            return float(value)
        except OverflowError:
            raise InvalidRequest(self.place(key), "is larger than any number that a model could take.") from None

    def items(self, key: str) -> list[Any]:
        return self._typed(key, list) or []

    def object(self, key: str) -> dict[str, Any] | None:
        return self._typed(key, dict)

    def need_object(self, key: str) -> dict[str, Any]:
        return self._needed(key, self.object(key))

    def texts(self, key: str) -> tuple[str, ...]:
        """A string or an array of strings."""
        value = self.any(key)
        values = [value] if isinstance(value, str) else [] if value is None else value
        if not isinstance(values, list) or not all(isinstance(item, str) for item in values):
            raise unexpected(self.place(key), "expected a string or an array of strings", value)
        return tuple(values)

    def each(self, key: str) -> "Iterator[Fields]":
        """The objects of an array, in order, each with its own place."""
        for index, item in enumerate(self.items(key)):
            yield Fields(item, f"{self.place(key)}[{index}]")

    def inner(self, key: str) -> "Fields":
        """The fields of the object under ``key``; what nobody takes of it stays a part of this one's rest.

        Without such an object there are none: what stands there instead is left over too.
        """
        if isinstance(self._left.get(key), Mapping) and self._left[key]:
            self._inner[key] = Fields(self._left.pop(key), self.place(key))
        return self._inner.get(key) or Fields({}, self.place(key))

    def rest(self) -> dict[str, Any]:
        """What nobody took, also of the objects inside."""
        return self._left | {key: inner.rest() for key, inner in self._inner.items() if inner.rest()}

    def native(self, wire: str) -> dict[str, dict[str, Any]]:
        """What nobody took, as fields that only the format ``wire`` knows."""
        rest = self.rest()
        return {wire: rest} if rest else {}

    def _typed(self, key: str, kind: type[T]) -> T | None:
        value = self.any(key)
        if value is None or isinstance(value, kind):
            return value
        raise unexpected(self.place(key), f"expected {NAMES[kind]}", value)

    def _needed(self, key: str, value: T | None) -> T:
        if value is None:
            raise InvalidRequest(self.place(key), "is missing.")
        return value


def unexpected(where: str, problem: str, value: Any) -> InvalidRequest:
    """Say what is wrong with ``value`` without repeating it: prompts do not belong into errors."""
    return InvalidRequest(where or "the request", f"{problem}, got {kind_of(value)}.")


def kind_of(value: Any) -> str:
    """Name the kind of a JSON value.

    >>> kind_of([1]), kind_of(None), kind_of(True), kind_of(1.5)
    ('an array', 'null', 'true or false', 'a number')
    """
    if value is None:
        return "null"
    if isinstance(value, float) or type(value) is int:
        return "a number"
    return next((name for kind, name in NAMES.items() if isinstance(value, kind)), type(value).__name__)

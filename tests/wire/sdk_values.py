"""Values by chance of any type that an SDK declares for its answers, as the JSON that a provider would send."""

from collections.abc import Callable, Mapping
from datetime import datetime
from random import Random
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

DEEPEST = 6  # models inside of one another; SDKs have types that hold themselves
WORDS = ("", "Paris", "{}", '{"a": 1}', "null", "🙂", "a\nb", "[1]", "0")
PLAIN: Mapping[Any, Callable[[Random], Any]] = {
    str: lambda random: random.choice(WORDS),
    int: lambda random: random.choice((0, 1, 7, 10**6)),
    float: lambda random: random.choice((0, 0.5, 7)),
    bool: lambda random: random.random() < 0.5,
    NoneType: lambda _: None,
    datetime: lambda _: "2026-11-30T00:00:00Z",
}
ANYTHING = (None, True, 0, "x", [], {}, {"a": [1]})


def arms(annotation: Any) -> tuple[Any, ...]:
    """The members of a union, however it is spelled."""
    if get_origin(annotation) is Annotated:
        return arms(get_args(annotation)[0])
    if get_origin(annotation) in {Union, UnionType}:
        return tuple(arm for each in get_args(annotation) for arm in arms(each))
    return (annotation,)


def types_of(union: Any) -> set[str]:
    """The ``type`` of every member of a union of an SDK's models."""
    return {name for arm in arms(union) for name in get_args(arm.model_fields["type"].annotation)}


class SdkValues:
    """Makes values from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def of(self, annotation: Any, depth: int = 0) -> Any:
        """A value of a declared type."""
        if annotation in PLAIN:
            return PLAIN[annotation](self._random)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return self.model(annotation, depth)
        found = arms(annotation)
        if found != (annotation,):
            return self.of(self._random.choice(found), depth)
        return self._generic(annotation, depth)

    def _generic(self, annotation: Any, depth: int) -> Any:
        origin, inner = get_origin(annotation), get_args(annotation)
        some = range(self._random.randint(0, 2) if depth < DEEPEST else 0)
        if origin is Literal:
            return self._random.choice(inner)
        if origin is list:
            return [self.of(inner[0], depth) for _ in some]
        if origin is dict:
            return {f"k{each}": self.of(inner[1], depth) for each in some}
        return self._random.choice(ANYTHING)

    def model(self, model: type[BaseModel], depth: int = 0) -> dict[str, Any]:
        """A JSON object that the model declares, by the names on the wire; optional fields now and then."""
        often = 0.5 if depth < DEEPEST else 0.0
        return {
            field.alias or name: self.of(field.annotation, depth + 1)
            for name, field in model.model_fields.items()
            if field.is_required() or self._random.random() < often
        }

"""What a job asks of its answer beyond a JSON Schema: read when it is submitted, and held against the answer."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from holdfast.model import exact_json
from holdfast.model.errors import InvalidRequest
from holdfast.model.request import Must

MOST_RULES = 20
LONGEST_REGEX = 1_000  # characters
MOST_ALLOWED = 1_000  # values of one_of
KINDS = ("json_path", "regex", "min_length", "one_of")
STEP = re.compile(
    r"""\.(?P<name>[^\W\d]\w*|\*)|\[(?P<index>\d{1,9})\]|\[(?P<every>\*)\]|\[(?P<quote>['"])(?P<quoted>.*?)(?P=quote)\]"""
)
Step = str | int | None  # None: every value of an array or an object


def read_must(given: Any) -> tuple[Must, ...]:
    """Read the rules of a line. Raises InvalidRequest naming the rule and what is wrong with it."""
    if given is None:
        return ()
    if not isinstance(given, list) or len(given) > MOST_RULES:
        raise InvalidRequest("must", f"expected an array of at most {MOST_RULES} rules.")
    return tuple(_read_rule(rule, f"must[{index}]") for index, rule in enumerate(given))


def _read_rule(given: Any, place: str) -> Must:
    if not isinstance(given, Mapping) or not given or any(key not in KINDS for key in given):
        raise InvalidRequest(place, f"expected an object of {', '.join(KINDS)}, one of them or a path with another.")
    try:
        rule = Must.model_validate(given)
    except ValidationError as error:
        key = error.errors()[0]["loc"][0]
        raise InvalidRequest(f"{place}.{key}", error.errors()[0]["msg"].lower() + ".") from None
    if (problem := _problem(rule)) is not None:
        raise InvalidRequest(f"{place}.{problem[0]}", problem[1])
    return rule


def _problem(rule: Must) -> tuple[str, str] | None:
    """What no answer could be held against: the key, and why."""
    if rule.json_path is not None and steps_of(rule.json_path) is None:
        return "json_path", "expected a path such as $.items[0].name or $.items[*]; filters and slices are not taken."
    if rule.regex is not None and (why := _regex_problem(rule.regex)):
        return "regex", why
    if rule.one_of is not None and not 1 <= len(rule.one_of) <= MOST_ALLOWED:
        return "one_of", f"expected 1 to {MOST_ALLOWED} values."
    if rule.one_of and rule.json_path is None and not all(isinstance(value, str) for value in rule.one_of):
        return "one_of", "expected texts, which a whole answer is held against; give a json_path for other values."
    return None


def _regex_problem(regex: str) -> str | None:
    from holdfast.wire.json_schema import is_linear  # noqa: PLC0415  jsonschema_rs takes 0.1 s to load; few jobs need it

    if len(regex) > LONGEST_REGEX:
        return f"is longer than {LONGEST_REGEX} characters."
    return None if is_linear(regex) else "cannot be matched in linear time, as look-around, or cannot be read."


def steps_of(path: str) -> tuple[Step, ...] | None:
    """Read a JSON path of names, indices and ``*``. None: it is another one.

    >>> steps_of("$.a[0]['b c'].*"), steps_of("$..a"), steps_of("a")
    (('a', 0, 'b c', None), None, None)
    """
    if not path.startswith("$"):
        return None
    steps: list[Step] = []
    at = 1
    while at < len(path):
        found = STEP.match(path, at)
        if found is None:
            return None
        steps.append(_step(found))
        at = found.end()
    return tuple(steps)


def _step(found: re.Match[str]) -> Step:
    if found["index"] is not None:
        return int(found["index"])
    if found["every"] or found["name"] == "*":
        return None
    return found["name"] if found["quote"] is None else found["quoted"]


def values_at(value: Any, steps: Sequence[Step]) -> Iterator[Any]:
    """Yield what stands at a path in a JSON value."""
    if not steps:
        yield value
        return
    for inner in _inside(value, steps[0]):
        yield from values_at(inner, steps[1:])


def _inside(value: Any, step: Step) -> list[Any]:
    """What one step leads to."""
    match value, step:
        case dict(), None:
            return list(value.values())
        case list(), None:
            return value
        case dict(), str() if step in value:
            return [value[step]]
        case list(), int() if step < len(value):
            return [value[step]]
    return []


def broken_rule(rules: Sequence[Must], text: str) -> str | None:
    """Name the first rule that an answer breaks, and where, without a word of the answer. None: it keeps them all."""
    spoken = text.strip()
    for index, rule in enumerate(rules):
        if (how := _broken(rule, spoken)) is not None:
            return f"must[{index}], {how}"
    return None


def _broken(rule: Must, text: str) -> str | None:
    if rule.json_path is None:
        return _broken_by(rule, text)
    steps = steps_of(rule.json_path)
    try:
        found = list(values_at(exact_json.loads(text), steps or ()))
    except ValueError:
        return "json_path: the answer is no JSON"
    if not found:
        return f"json_path: there is nothing at {rule.json_path}"
    how = next(filter(None, (_broken_by(rule, value) for value in found)), None)
    return how and f"{how} at {rule.json_path}"


def _broken_by(rule: Must, value: Any) -> str | None:
    """The key of the rule that a value breaks."""
    from holdfast.wire.json_schema import breaks  # noqa: PLC0415  as above

    schemas: dict[str, Any] = {}
    if rule.regex is not None:
        schemas["regex"] = {"type": "string", "pattern": rule.regex}
    if rule.min_length is not None:
        least = rule.min_length
        schemas["min_length"] = {"type": ["string", "array"], "minLength": least, "minItems": least}
    if rule.one_of is not None:
        schemas["one_of"] = {"enum": list(rule.one_of)}
    return next((key for key, schema in schemas.items() if breaks(value, schema)), None)

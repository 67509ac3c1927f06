"""The scenarios that come with Holdfast, and those in files of your own."""

import tomllib
from importlib.resources import files
from json import JSONDecodeError, loads
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from holdfast.config.problems import from_pydantic
from holdfast.lab.drill.scenario import Scenario
from holdfast.lab.drill.thresholds import check_names
from holdfast.model.errors import InvalidRequest, NotFound
from holdfast.model.sentences import end_sentence

OURS = files("holdfast.lab") / "scenarios"
LARGEST = 4 * 1024 * 1024  # bytes of a file


class NoScenario(NotFound):
    """A text is neither the name of a scenario nor a file."""

    def __init__(self, name: str) -> None:
        super().__init__("scenario", name)

    def __str__(self) -> str:
        return f"{self.name} is neither a scenario nor a file. Scenarios: {', '.join(names())}."


def names() -> list[str]:
    return sorted(entry.name.removesuffix(".toml") for entry in OURS.iterdir() if entry.name.endswith(".toml"))


def find(name_or_file: str) -> Scenario:
    """Read a scenario by its name, or from a file (.toml or .json). Raises NoScenario, InvalidRequest."""
    if name_or_file in names():
        return read((OURS / f"{name_or_file}.toml").read_text(encoding="utf-8"), name_or_file)
    return read(_text(name_or_file), name_or_file, named=Path(name_or_file).stem)


def read(text: str, where: str, *, named: str = "scenario") -> Scenario:
    """Read a scenario's text, JSON where it begins as JSON does; ``named``: its name where it says none.

    Raises: InvalidRequest: with the place of the error.
    """
    raw = _parse(text, where)
    try:
        scenario = Scenario.model_validate({"name": _word(named)} | raw)
    except ValidationError as error:
        place, problem = _complaint(error.errors(include_url=False)[0])
        raise InvalidRequest(f"{where}: {place}" if place else where, problem) from None
    check_names(scenario.bars, where)
    return scenario


def _text(file: str) -> str:
    path = Path(file)
    try:
        if not path.is_file():
            raise NoScenario(file)
        with path.open("rb") as opened:
            content = opened.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise InvalidRequest(file, f"has more than {LARGEST} bytes.")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidRequest(file, f"cannot be read: its byte {error.start} is not UTF-8.") from None
    except (OSError, ValueError) as error:
        raise InvalidRequest(file, f"cannot be read: {end_sentence(error)}.") from None


def _parse(text: str, where: str) -> dict[str, Any]:
    try:
        raw = loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (JSONDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidRequest(where, f"is neither JSON nor TOML: {end_sentence(error)}.") from None
    except RecursionError:
        raise InvalidRequest(where, "is nested too deeply.") from None
    except ValueError as error:
        raise InvalidRequest(where, f"cannot be read: {end_sentence(error)}.") from None
    return dict(raw)


def _word(text: str) -> str:
    """Make a scenario's name of a file's."""
    return "".join(sign if sign.isalnum() or sign in "_.-" else "-" for sign in text)[:100] or "scenario"


def _complaint(error: ErrorDetails) -> tuple[str, str]:
    """The place of an error, and what is wrong there."""
    place = ".".join(str(step) for step in error["loc"])
    match error["type"]:
        case "extra_forbidden":
            return place, "means nothing here."
        case "value_error":
            return place, f"{error['ctx']['error']}."
        case _:
            said = from_pydantic(error)
            return place, f"expected {said.expected}, got {said.got}."

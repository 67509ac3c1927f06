"""The scenarios that come with Holdfast, and those in files of your own."""

import tomllib
from importlib.resources import files
from json import JSONDecodeError, loads
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from holdfast.model.errors import InvalidRequest, NotFound
from holdfast.sim.drill.bars import check_names
from holdfast.sim.drill.scenario import Scenario

OURS = files("holdfast.sim") / "scenarios"
LARGEST = 4 * 1024 * 1024  # bytes of a file


def names() -> list[str]:
    return sorted(entry.name.removesuffix(".toml") for entry in OURS.iterdir() if entry.name.endswith(".toml"))


def find(name_or_file: str) -> Scenario:
    """Read a scenario by its name, or from a file (.toml or .json). Raises NotFound, InvalidRequest."""
    entry = OURS / f"{name_or_file}.toml"
    if entry.is_file():
        return read(entry.read_text(), name_or_file)
    path = Path(name_or_file)
    if not path.is_file():
        raise NotFound("scenario", name_or_file)
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise InvalidRequest(name_or_file, f"has more than {LARGEST} bytes.")
        return read(content.decode(), name_or_file)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(name_or_file, f"cannot be read: {error}.") from None


def read(text: str, where: str) -> Scenario:
    """Read a scenario's text, JSON where it begins as JSON does. Raises InvalidRequest with the place of the error."""
    raw = _parse(text, where)
    try:
        scenario = Scenario.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise InvalidRequest(f"{where}: {place}", f"{first['msg']}.") from None
    check_names(scenario.bars, where)
    return scenario


def _parse(text: str, where: str) -> Any:
    try:
        return loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except (JSONDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidRequest(where, f"is neither JSON nor TOML: {error}.") from None
    except RecursionError:
        raise InvalidRequest(where, "is nested too deeply.") from None

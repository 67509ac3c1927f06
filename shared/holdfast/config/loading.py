"""Find the configuration, read it, check it, build the settings: all of it, or one ConfigError with every problem."""

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from holdfast.config.build import build, key_variables
from holdfast.config.checks import check
from holdfast.config.config_file import LARGEST_FILE, find
from holdfast.config.presets import expanded
from holdfast.config.problems import ConfigProblem, from_pydantic
from holdfast.config.schema import ConfigFile, StorageTable
from holdfast.config.toml_positions import key_lines, line_of
from holdfast.config.toml_slips import slip_behind
from holdfast.config.values import Settings
from holdfast.model.environment import DATABASE_URL, REDIS_URL, read_variable
from holdfast.model.errors import ConfigError

STORAGE_VARIABLES = {"database_url": DATABASE_URL, "redis_url": REDIS_URL}


def load(path: Path | None = None, env: Mapping[str, str] | None = None) -> Settings:
    """Load the settings. Without a file: embedded storage, and the providers whose key variables are set.

    Raises: ConfigError: with every problem of the file and of the environment.
    """
    env = os.environ if env is None else env
    source = find(path, env)
    text = "" if source is None else _read(source)
    file = expanded(_parse(source, text))
    table, problems = _fill_in(file)
    problems += check(file, file["providers"] if _has_providers(file) else key_variables(env))
    complaints = _in_file(source, text, problems) + _in_environment(env)
    if table is None or complaints:
        raise ConfigError(tuple(complaints))
    return build(table, source, env)


def _read(source: Path) -> str:
    try:
        with source.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise ConfigError((f"{source}: expected at most {LARGEST_FILE} bytes, got more",))
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise ConfigError((f"{source}: expected UTF-8 text, got another byte at offset {error.start}",)) from None
    except FileNotFoundError:
        raise ConfigError((f"{source}: expected a configuration file, got nothing: there is no such file",)) from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise ConfigError((f"{source}: expected a readable file, got: {why}",)) from error


def _parse(source: Path | None, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        what, _, place = str(error).partition(" (at ")
        line, column = re.search(r"line (\d+)", place), re.search(r"column (\d+)", place)
        number = int(line[1]) if line else text.count("\n") + 1
        said = what + (f" (column {column[1]})" if column else "") + slip_behind(what, text, number)
        raise ConfigError((f"{source}:{number}: expected TOML, got a syntax error: {said}",)) from None
    except RecursionError:
        raise ConfigError((f"{source}: expected TOML, got tables nested too deeply",)) from None


def _fill_in(file: dict[str, Any]) -> tuple[ConfigFile | None, list[ConfigProblem]]:
    try:
        return ConfigFile.model_validate(file), []
    except ValidationError as error:
        return None, [from_pydantic(each) for each in error.errors(include_url=False)]


def _has_providers(file: Mapping[str, Any]) -> bool:
    return isinstance(file.get("providers"), dict) and bool(file["providers"])


def _in_file(source: Path | None, text: str, problems: Iterable[ConfigProblem]) -> list[str]:
    """Say each problem once, in the order of the file."""
    lines = key_lines(text)
    placed = [(line_of(lines, problem.path) or 1, problem) for problem in problems]
    in_order = sorted(placed, key=lambda each: each[0])
    return list(dict.fromkeys(problem.render(f"{source}:{line}") for line, problem in in_order))


def _in_environment(env: Mapping[str, str]) -> list[str]:
    complaints = []
    for field, variable in STORAGE_VARIABLES.items():
        if said := read_variable(variable, env):
            try:
                StorageTable.model_validate({field: said})
            except ValidationError as error:
                problem = from_pydantic(error.errors(include_url=False)[0])
                complaints.append(ConfigProblem((), problem.expected, problem.got).render(variable))
    return complaints

"""Which file is the configuration. Nothing slow is imported here: every command asks."""

import os
from collections.abc import Mapping
from pathlib import Path

from holdfast.config.up_file import SIMULATED, is_up
from holdfast.model.environment import CONFIG, read_variable

FILE_NAME = "holdfast.toml"
LARGEST_FILE = 4 * 1024 * 1024  # bytes; a configuration has some thousands


def find(path: Path | None, env: Mapping[str, str] | None = None) -> Path | None:
    """Choose the file: ``path``, then HOLDFAST_CONFIG, then holdfast.toml in the working directory, or none.

    While `holdfast up --sim` runs in the working directory, its configuration is found before holdfast.toml.
    """
    named = path or read_variable(CONFIG, os.environ if env is None else env)
    if named is not None:
        return Path(named).expanduser()
    if SIMULATED.is_file() and is_up() is not None:
        return SIMULATED
    return Path(FILE_NAME) if Path(FILE_NAME).is_file() else None

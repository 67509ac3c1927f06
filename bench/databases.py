"""Where a measurement keeps its jobs: in SQLite, or in a Postgres that is started for it and ends with it."""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from servers import DURABLE, postgres

SQLITE, POSTGRES = "sqlite", "postgres"


def add_choice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--database", choices=(SQLITE, POSTGRES), default=SQLITE)


@contextmanager
def kept_in(database: str) -> Iterator[None]:
    """While the block runs, rigs that are made, and their workers, keep their jobs there."""
    if database == SQLITE:
        yield
        return
    with postgres(*DURABLE) as url, surrounded_by({"HOLDFAST_DATABASE_URL": url}):
        yield


@contextmanager
def surrounded_by(environment: Mapping[str, str]) -> Iterator[None]:
    """These variables, for processes that are started meanwhile. Others that are set in the block stay."""
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def named(bench: str, database: str) -> str:
    """The name of a measurement, which tells where it kept its jobs unless that was the default.

    >>> named("soak", "postgres"), named("soak", "sqlite")
    ('postgres: soak', 'soak')
    """
    return bench if database == SQLITE else f"{database}: {bench}"

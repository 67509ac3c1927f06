"""Whole runs with real processes. Here, and only here, tests may sleep: other processes do the work."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from system.fleet import Fleet, fleet
from system.storages import storage


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let `make system` find them: they wait for processes most of the time, and run best many at once."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.system)


@pytest.fixture
def kept(request: pytest.FixtureRequest) -> Iterator[None]:
    """Where the test's fleets keep their jobs: the parameter, one of ``storages``."""
    with storage(request.param):
        yield


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Callable[..., Fleet]]:
    """Makes a fleet in an empty folder; keyword arguments as for ``fleet``."""
    with ExitStack() as stack:

        def make(**settings: Any) -> Fleet:
            return stack.enter_context(fleet(tmp_path, **settings))

        yield make

"""Field cases run with the system tests: a slice of them shares one pool, so one process has to run a whole slice."""

from pathlib import Path

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.system)
            kind = item.callspec.params.get("kind", "") if hasattr(item, "callspec") else ""
            if config.pluginmanager.hasplugin("xdist"):
                item.add_marker(pytest.mark.xdist_group(f"{item.path.stem} {kind}"))

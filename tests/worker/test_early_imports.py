"""A worker imports what first calls need, and of that not what no worker uses."""

import json
import subprocess
import sys
from importlib import import_module

import pytest

from holdfast.worker.early_imports import withheld

LIBRARIES = """
import json, sys
from holdfast.worker.early_imports import import_libraries
import_libraries()
import aiohttp, redis.asyncio, structlog
print(json.dumps([sorted(sys.modules), structlog.dev.ConsoleRenderer()(None, "info", {"event": "said"})]))
"""


def test_a_module_that_is_withheld_is_there_again_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    with withheld(["colorsys"]), pytest.raises(ModuleNotFoundError, match="colorsys"):
        import_module("colorsys")
    with withheld(["that"]):
        assert import_module("colorsys").rgb_to_hsv


def test_libraries_come_without_what_no_worker_uses_and_work() -> None:
    done = subprocess.run([sys.executable, "-c", LIBRARIES], capture_output=True, text=True, check=True)
    imported, line = json.loads(done.stdout)
    assert not {"rich", "opentelemetry.sdk.metrics"} & set(imported)
    assert {"aiohttp", "redis.asyncio", "structlog"} <= set(imported)
    assert "said" in line

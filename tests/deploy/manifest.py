"""Reads the YAML that our manifests are written in."""

from pathlib import Path
from typing import Any

import yaml


def read_all(path: Path) -> list[Any]:
    """Every document of a file; anchors and merges are resolved."""
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))

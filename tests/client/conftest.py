from pathlib import Path

import pytest

from holdfast.client import Holdfast
from holdfast.client.installation import Installation
from holdfast.client.local import LocalBackend
from holdfast.config import Settings
from producing import StandInWorker, configured


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return configured(tmp_path)


@pytest.fixture
def hf(settings: Settings):
    with Holdfast(settings) as holdfast:
        yield holdfast


@pytest.fixture
def installation(hf: Holdfast) -> Installation:
    assert isinstance(hf.backend, LocalBackend)
    return hf.backend.installation


@pytest.fixture
def worker(installation: Installation) -> StandInWorker:
    return StandInWorker(installation.ready())

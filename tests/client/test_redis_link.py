"""A producer finds the embedded server where a worker runs it, and never starts one that nobody reads from."""

from pathlib import Path

import pytest

from holdfast.client import Holdfast
from holdfast.client.installation import Installation
from holdfast.client.redis_link import EmbeddedServerDown
from holdfast.lanes import Lanes, connect
from producing import configured


def installation_of(hf: Holdfast) -> Installation:
    return hf.backend.installation


def test_without_a_worker_jobs_wait_in_sql_and_no_server_is_started(tmp_path: Path) -> None:
    with Holdfast(configured(tmp_path, redis_url="embedded")) as hf:
        hf.submit("a", model="smart")
        installation_of(hf).offers.flush()
        with pytest.raises(EmbeddedServerDown):
            installation_of(hf).redis.lanes()
    assert not (tmp_path / "redis").exists()


def test_jobs_are_offered_to_the_server_that_a_worker_runs(tmp_path: Path) -> None:
    settings = configured(tmp_path, redis_url="embedded")
    running = connect("embedded", tmp_path)
    try:
        lanes = Lanes(running)
        lanes.ping()
        with Holdfast(settings) as hf:
            hf.submit(["a", "b"], model="smart")
            installation_of(hf).offers.flush()
            assert lanes.lengths() == {"smart.batch": 2}
            assert installation_of(hf).redis.url() == running.shown_url
    finally:
        running.close()

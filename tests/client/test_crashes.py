"""A producer that is killed in the middle of a submit loses nothing: the same key finds what was accepted."""

import os
import signal
import subprocess
import sys

import pytest

from holdfast.client import Holdfast
from holdfast.client.installation import Installation
from holdfast.client.submission import CHUNK
from holdfast.config import Settings
from holdfast.model.job import State
from holdfast.model.records import JobFilter
from holdfast.store.batches import list_batches
from holdfast.store.jobs import count_jobs

PRODUCER = f"""
import sys
from holdfast.client import Holdfast
Holdfast(config=sys.argv[1]).submit([f"p{{n}}" for n in range({CHUNK + 5})], model="smart", idempotency_key="k")
"""


@pytest.mark.parametrize(
    ("point", "accepted"),
    [("before_insert:1", 0), ("before_offer:1", 1), ("before_insert:3", CHUNK + 1), ("before_offer:3", CHUNK + 5)],
)
def test_submitting_again_with_the_same_key_finishes_the_batch(
    settings: Settings, hf: Holdfast, installation: Installation, point: str, accepted: int
) -> None:
    installation.ready()
    killed = subprocess.run(
        [sys.executable, "-c", PRODUCER, str(settings.source)],
        env=os.environ | {"HOLDFAST_CRASH_AT": point},
        check=False,
        timeout=280,
    )
    assert killed.returncode == -signal.SIGKILL
    assert installation.store.read(count_jobs, JobFilter()) == accepted
    batch = hf.submit([f"p{n}" for n in range(CHUNK + 5)], model="smart", idempotency_key="k")
    assert batch.counts() == {State.QUEUED: CHUNK + 5}
    assert len(installation.store.read(list_batches)) == 1

"""OpenAI's last 1.x SDK and Anthropic's last 0.x, with a provider broken and a worker killed in the middle.

python bench/older_sdks.py [--lines 400]

Each makes a batch, and beside it calls that wait, a part of them as streams; see ``peers/older_*_calls.py``.
"""

import argparse
import json
import subprocess
import time
from pathlib import Path

from api_server import served
from figures import Figure, show
from holdfast.lab.providers.settings import InjectedFault, SimSettings
from peers.environments import python
from rig import Rig, rig

HERE = Path(__file__).parent / "peers"
SDKS = ("older_openai", "older_anthropic")
DOWN = 2.0  # seconds for which the first provider is broken


def run_sdk(running: Rig, url: str, name: str, lines: int) -> list[Figure]:
    """Run one SDK's program; break a provider and kill the worker once its batch is under way."""
    program = python(name)
    if program is None:
        return []
    command = [program, HERE / f"{name}_calls.py", url, str(lines)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        if process.stdout.readline():
            running.sims[0].break_(InjectedFault(mode="e503"))
            time.sleep(0.3)
            running.workers.pop().kill()
            running.start(1)
            time.sleep(DOWN)
            running.sims[0].heal()
        told = process.stdout.read()
    failures = json.loads(told)["failures"] if told else lines
    return [
        Figure(f"{name}: answers that are missing or another's", failures, ("=", 0)),
        Figure(f"{name}: exit status", process.returncode, ("=", 0)),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=400)
    given = parser.parse_args()
    sim = SimSettings(latency=(0.05, 0.3))
    limits = "limits = { requests_per_minute = 60000 }"
    with rig(sim, sim, limits=limits, concurrency=20) as running, served(running) as api:
        running.start(1)
        figures = [figure for name in SDKS for figure in run_sdk(running, api.url, name, given.lines)]
        figures.append(Figure("ledger lines broken", running.broken_lines(), ("=", 0)))
    return show("older SDKs, with a provider broken and a worker killed", figures)


if __name__ == "__main__":
    raise SystemExit(main())

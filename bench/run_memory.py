"""Memory of `holdfast run` over a long file: `python bench/run_memory.py`. Prompts of 2 kB, answers at once.

The command and the worker that it starts are looked at twenty times a second. What they hold when a fifth of the lines
is answered is laid beside the most that they held afterwards: a process that keeps what it has read or written grows
with the file.
"""

import argparse
import sys
import time
from collections import defaultdict
from pathlib import Path

from api_server import resident
from figures import Figure, show
from holdfast.lab.providers.process import SimProcess
from newcomer import folder, run_file
from provider_core import provider

LINES, IN_FLIGHT = 100_000, 200
PADDING = "x" * 2000
LOOK = 2.0  # seconds between two looks at how far it is
EARLY = 0.2
GROWTH = 20.0  # megabytes


class ProcessSizes:
    """Bytes that processes hold, by how much of the work was done: a callable that looks at them."""

    def __init__(self, sim: SimProcess, lines: int) -> None:
        self.sim, self.lines, self.done, self.asked = sim, lines, 0, 0.0
        self.seen: dict[str, list[tuple[int, int]]] = defaultdict(list)

    def __call__(self, pid: int) -> None:
        if time.monotonic() - self.asked > LOOK:
            self.done, self.asked = self.sim.counts()["by_status"].get("200", 0), time.monotonic()
        for name, process in (("command", pid), ("worker", worker_of(pid))):
            if process and (held := size(process)):
                self.seen[name].append((self.done, held))

    def figures(self) -> list[Figure]:
        found = []
        for name, seen in self.seen.items():
            early = max(held for done, held in seen if done <= EARLY * self.lines) / 2**20
            most = max(held for _, held in seen) / 2**20
            found += [
                Figure(f"{name}: growth after a fifth of the lines", most - early, ("≤", GROWTH), "MB"),
                Figure(f"{name}: most", most, None, "MB"),
            ]
        return found


def size(pid: int) -> int:
    try:
        return resident(pid)
    except (OSError, StopIteration):  # it has just ended
        return 0


def worker_of(pid: int) -> int:
    """The worker among the processes below a command, or 0."""
    below = [pid]
    while below:
        parent = below.pop()
        try:
            for task in Path(f"/proc/{parent}/task").iterdir():
                below += [int(child) for child in (task / "children").read_text().split()]
            if b"holdfast.worker" in Path(f"/proc/{parent}/cmdline").read_bytes():
                return parent
        except OSError:
            continue
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=LINES)
    given = parser.parse_args()
    with provider(latency=(0, 0), headers=False) as sim, folder(sim.url, 0, IN_FLIGHT) as path:
        lines = (f'{{"prompt": "prompt {number}{PADDING}"}}\n' for number in range(given.lines))
        (path / "in.jsonl").write_text("".join(lines))
        sizes = ProcessSizes(sim, given.lines)
        ran = run_file(sim, path, look=sizes)
    answered = Figure("lines answered", ran.seen["by_status"].get("200", 0), ("≥", given.lines))
    rate = Figure("whole command", ran.seconds, None, "s")
    return show(f"memory of run, {given.lines:,} lines", [*sizes.figures(), answered, rate])


if __name__ == "__main__":
    sys.exit(main())

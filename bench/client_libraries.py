"""Client libraries where a provider says no: the OpenAI SDK, LiteLLM's Router and curator beside `holdfast run`.

Two tasks, 100 in flight, over the same chat API whose answers take 0.2 s:

* rate limit: 600 prompts; the provider lets 50 requests a second in (after a burst of 50), says so in its headers, and
  refuses the others with 429 and Retry-After 1;
* outage: 1,000 prompts; it has no limit, and answers 503 for 20 s, half a second after the first call.

Each library runs as its documentation shows it, and once more with ten retries. Everything is told as its user meets
it: answers got, failures that are left to the user, calls made (more than prompts: made in vain), the seconds of the
whole command, and those of them from the first call to the last answer. The ideal is what somebody would need who
knows the provider's mind.

python bench/client_libraries.py [--task limit|outage] [--jobs N] [--only litellm,holdfast]
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "peers"))

from environments import python, version

from databases import surrounded_by
from figures import Figure, ideal_makespan, show
from holdfast.lab.providers.process import SimProcess
from holdfast.lab.providers.settings import InjectedFault
from newcomer import LOG, CommandRun, folder, run_command, run_file
from provider_core import provider

PEERS = Path(__file__).parent / "peers"
IN_FLIGHT, LATENCY = 100, 0.2
JOBS = {"limit": 600, "outage": 1000}
RATE, BURST = 50.0, 50.0
OUT, AFTER = 20.0, 0.5  # seconds of the outage, and from the first call to its begin
STARTING = 2.0  # seconds that a command without a running pool may take before its first call
NOWHERE = "http://127.0.0.1:9"  # a proxy that is not there: no library calls home from a bench


@dataclass(frozen=True, slots=True)
class Library:
    """``environment`` is the name of its environment, or "" for Holdfast's own; ``retries`` None: its default."""

    name: str
    script: str
    environment: str
    retries: int | None = None


LIBRARIES = (
    Library("OpenAI SDK", "openai_sdk", ""),
    Library("OpenAI SDK, 10 retries", "openai_sdk", "", 10),
    Library("LiteLLM Router", "litellm_router", "litellm"),
    Library("LiteLLM Router, 10 retries", "litellm_router", "litellm", 10),
    Library("curator (10 retries)", "curator_requests", "curator"),
)
OURS = "holdfast run"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=("limit", "outage"), default="limit")
    parser.add_argument("--jobs", type=int, help="instead of the task's own number")
    parser.add_argument("--only", default="", help="beginnings of names, with commas between them")
    given = parser.parse_args()
    given.jobs = given.jobs or JOBS[given.task]
    wanted = tuple(given.only.split(",")) if given.only else ("",)
    limit = {"rate": RATE, "burst": BURST} if given.task == "limit" else {}
    figures: list[Figure] = []
    with provider(latency=(LATENCY, LATENCY), **limit) as sim, suppress(KeyboardInterrupt):  # and tell what there is
        if OURS.startswith(wanted):
            figures += ours(sim, given)
        for library in LIBRARIES:
            if library.name.startswith(wanted):
                figures += of_library(library, sim, given)
    figures.append(Figure("ideal", ideal(given.task, given.jobs), None, "s"))
    title = "rate limit: client libraries" if given.task == "limit" else "outage of 20 s: client libraries"
    left_out = [each.name for each in LIBRARIES if not any(figure.name.startswith(each.name) for figure in figures)]
    peers = [version("litellm"), version("curator")]
    return show(title, figures, jobs=given.jobs, peers=peers, left_out=left_out)


def ideal(task: str, jobs: int) -> float:
    if task == "limit":
        return ideal_makespan(jobs, RATE, BURST, LATENCY)
    return jobs / IN_FLIGHT * LATENCY + OUT


def of_library(library: Library, sim: SimProcess, given: argparse.Namespace) -> list[Figure]:
    """How one library did; nothing where it cannot be installed or does not work."""
    interpreter = python(library.environment) if library.environment else Path(sys.executable)
    if interpreter is None:
        return []
    more = [] if library.retries is None else [str(library.retries)]
    script = str(PEERS / f"{library.script}.py")
    command = [str(interpreter), script, f"{sim.url}/v1", str(given.jobs), str(IN_FLIGHT), *more]
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as name, surrounded_by(kept_here(name)):
        path = Path(name)
        try:
            ran = run_command(sim, command, path, look=outage(sim, given.task), outcome=lambda: failures(path))
        except (SystemExit, subprocess.SubprocessError, ValueError) as error:
            sys.stderr.write(f"  {library.name} did not work: {error}\n")
            return []
    return rows(library.name, ran, given.jobs)


def kept_here(home: str) -> dict[str, str]:
    """Variables that let a library write to no other folder, and ask nobody but the provider."""
    nowhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY"), NOWHERE)
    return {"HOME": home, **nowhere, "NO_PROXY": "127.0.0.1", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}


def ours(sim: SimProcess, given: argparse.Namespace) -> list[Figure]:
    with folder(f"{sim.url}/v1", given.jobs, IN_FLIGHT, api="openai-chat") as path:
        ran = run_file(sim, path, look=outage(sim, given.task))
    bars = {"answers": ("=", given.jobs), "seconds": ("≤", 1.1 * ideal(given.task, given.jobs) + STARTING)}
    return rows(OURS, ran, given.jobs, bars)


def outage(sim: SimProcess, task: str) -> Callable[[int], None]:
    """What looks at a run, and breaks the provider once it has been called; only where the task says so."""
    waiting = [task == "outage"]

    def look(_: int) -> None:
        if waiting[0] and sim.counts()["calls"]:
            sim.break_(InjectedFault(mode="e503", after=AFTER, seconds=OUT))
            waiting[0] = False

    return look


def failures(path: Path) -> int:
    """What a library's script said of itself: the prompts that its user has no answer to."""
    said = [line for line in (path / LOG).read_text(errors="replace").splitlines() if line.startswith('{"answers"')]
    if not said:
        raise ValueError((path / LOG).read_text(errors="replace")[-2000:])
    return int(json.loads(said[-1])["failures"])


def rows(name: str, ran: CommandRun, jobs: int, bars: Mapping[str, tuple[str, float]] | None = None) -> list[Figure]:
    bars = bars or {}
    sys.stderr.write(f"  {name}: {jobs - ran.failed} answers, {ran.seen['calls']} calls, {ran.seconds:.1f} s\n")
    return [
        Figure(f"{name}: answers", jobs - ran.failed, bars.get("answers")),
        Figure(f"{name}: failures left to the user", ran.failed),
        Figure(f"{name}: calls", ran.seen["calls"]),
        Figure(f"{name}: first call to last answer", ran.span, None, "s"),
        Figure(f"{name}: whole command", ran.seconds, bars.get("seconds"), "s"),
    ]


if __name__ == "__main__":
    sys.exit(main())

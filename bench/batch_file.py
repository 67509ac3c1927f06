"""A large batch file through OpenAI's SDK: how soon is it accepted, validated, read back and cancelled?

python bench/batch_file.py [--lines 50000]
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import openai

from api_server import ApiServer, cpu, resident, served
from figures import Figure, show
from holdfast.lab.providers.settings import SimSettings
from rig import Rig, rig

BAD, ENDPOINT, MEBIBYTE = 7, "/v1/chat/completions", 1024 * 1024  # lines that are no JSON
TEXT = "Say hello, and add a paragraph about something that is long enough to look like a prompt. " * 5


def lines(count: int) -> Iterator[bytes]:
    for number in range(count):
        body = {"model": "bench", "messages": [{"role": "user", "content": f"{number}: {TEXT}"}], "max_tokens": 20}
        line = {"custom_id": f"request-{number}", "method": "POST", "url": ENDPOINT, "body": body}
        yield b"no JSON\n" if number % (count // BAD) == 1 and number < count - 1 else json.dumps(line).encode() + b"\n"


def ended(client: openai.OpenAI, batch: str, *live: str, pause: float = 0.05) -> openai.types.Batch:
    """Wait until a batch is in none of the states ``live``."""
    while (found := client.batches.retrieve(batch)).status in live:
        time.sleep(pause)
    return found


def measure(running: Rig, api: ApiServer, path: Path, count: int) -> list[Figure]:
    client = openai.OpenAI(base_url=f"{api.url}/v1", api_key="none", timeout=600)
    began, used = time.perf_counter(), cpu(api.pid)
    with path.open("rb") as content:
        file = client.files.create(file=content, purpose="batch")
    batch = client.batches.create(input_file_id=file.id, endpoint=ENDPOINT, completion_window="24h")
    accepted = time.perf_counter() - began
    found = ended(client, batch.id, "validating")
    validated, used = time.perf_counter() - began, cpu(api.pid) - used
    peak = resident(api.pid)
    bad = len(found.errors.data) if found.errors else 0
    running.until(lambda: client.batches.retrieve(batch.id).request_counts.completed >= min(count // 2, 10_000))
    began = time.perf_counter()
    client.batches.cancel(batch.id)
    cancelled = time.perf_counter() - began
    done = ended(client, batch.id, "in_progress", "cancelling")
    began = time.perf_counter()
    read = client.files.content(done.output_file_id).content.count(b"\n")
    reading = time.perf_counter() - began
    made = sum(running.counts(batch.id.removeprefix("batch_")).values())
    return [
        Figure("accepted", accepted, unit="s"),
        Figure("accepted and validated", validated, ("≤", 5), "s"),
        Figure("CPU of the API meanwhile", used, unit="s"),
        Figure("memory of the API", max(peak, resident(api.pid)) / MEBIBYTE, ("≤", 250), "MiB"),
        Figure("lines that are neither a job nor an error", count - made - bad, ("=", 0)),
        Figure("bad lines", bad),
        Figure("cancel answered", cancelled, ("≤", 1), "s"),
        Figure("output lines read a second", read / reading, ("≥", 5_000)),
        Figure("output lines that are missing", done.request_counts.completed - read, ("=", 0)),
        Figure("ledger lines broken", running.broken_lines(), ("=", 0)),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=50_000)
    given = parser.parse_args()
    with tempfile.NamedTemporaryFile() as content:
        content.writelines(lines(given.lines))
        content.flush()
        sim = SimSettings(latency=(0.2, 0.2))
        limits = "limits = { requests_per_minute = 60000 }"
        with rig(sim, limits=limits) as running, served(running) as api:
            running.start(1)
            figures = measure(running, api, Path(content.name), given.lines)
    return show(f"a batch file of {given.lines:,} lines", figures)


if __name__ == "__main__":
    raise SystemExit(main())

"""Several cases at once: one pool, one `holdfast run` of all their lines, and what became of each job."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from field.case import Case, Line, SeenRequest, secret
from field.scripted_provider import ScriptedProvider
from holdfast.client.errors import NoResponse
from holdfast.client.installation import Installation
from holdfast.client.local import LocalBackend
from holdfast.client.submit_request import JobDefaults, SubmitRequest
from holdfast.config import load
from holdfast.model.records import JobFilter
from holdfast.model.route import Api

PATIENCE = 60.0  # seconds for what takes up to thirty, on a machine that is busy with other things
PAGE = 500
HOLDFAST = [sys.executable, "-m", "holdfast.cli"]


@dataclass(slots=True)
class SliceOutcome:
    """What became of a slice's jobs, by case and custom_id.

    ``jobs``: as `job show --json` has them. ``lines``: the output file's. ``bodies``: answers as they are kept.
    """

    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    lines: dict[str, dict[str, Any]] = field(default_factory=dict)
    bodies: dict[str, bytes] = field(default_factory=dict)
    seen: Mapping[str, Sequence[SeenRequest]] = field(default_factory=dict)
    breakers: dict[str, str] = field(default_factory=dict)
    status: int = 0
    said: str = ""


def provider(case: Case, route: int) -> str:
    """Name the provider of a case's route, counted from 1."""
    return f"{case.name}-{route}"


def configuration(cases: Sequence[Case], url: str, directory: Path) -> str:
    """Write a holdfast.toml in which every case has providers and a model of its own."""
    tables = [
        "[storage]", f'directory = "{directory}"', f'database_url = "sqlite:///{directory}/holdfast.db"',
        "[worker]", "concurrency = 100", "[server]", "has_keys = false",
    ]  # fmt: skip
    for case in cases:
        for number in range(1, len(case.routes) + 1):
            tables += _provider(case, number, f"{url}/{provider(case, number)}")
        routes = [f'{{ provider = "{provider(case, n)}", model = "m-{n}" }}' for n in range(1, len(case.routes) + 1)]
        tables += [f"[models.{case.name}]", f"routes = [{', '.join(routes)}]"]
    return "\n".join(tables) + "\n"


def _provider(case: Case, number: int, url: str) -> list[str]:
    base = url if case.api is Api.ANTHROPIC else f"{url}/v1"
    keys = ", ".join(f'{{ name = "{name}", secret = "env:{variable(name)}" }}' for name in case.keys)
    return [
        f"[providers.{provider(case, number)}]",
        f'api = "{case.api.value}"',
        f'base_url = "{base}"',
        'deadline = "15s"',
        *([f"credentials = [{keys}]"] if keys else []),
    ]


def variable(name: str) -> str:
    return f"FIELD_{name.upper()}"


def environment(cases: Sequence[Case]) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    return own | {variable(name): secret(name) for case in cases for name in case.keys}


def addressed(case: Case, name: str, line: Line) -> Line:
    """Give a line its custom_id and the case's model, where its shape has the model."""
    for inner in ("body", "params"):
        if inner in line:
            return {**line, "custom_id": name, inner: {"model": case.name, **line[inner]}}
    return {**line, "custom_id": name, "model": case.name}


def run_slice(cases: Sequence[Case], directory: Path) -> SliceOutcome:
    """Run the lines of all cases, the held ones apart, and read what became of them."""
    script = {provider(case, n): answers for case in cases for n, answers in enumerate(case.routes, 1)}
    env = environment(cases)
    with ScriptedProvider(script) as providers:
        config = directory / "holdfast.toml"
        config.write_text(configuration(cases, providers.url, directory / "data"))
        write_lines(directory / "in.jsonl", [case for case in cases if not case.held])
        with worker(directory, env), local(directory, env) as backend:
            outcome = SliceOutcome(seen=providers.seen)
            held = {name: job for case in cases if case.held for name, job in hold(backend, case)}
            outcome.status, outcome.said = run(directory, env)
            read(backend, outcome)
            outcome.jobs |= held
            outcome.lines = output(directory / "out.jsonl")
    return outcome


def write_lines(path: Path, cases: Sequence[Case]) -> None:
    lines = [addressed(case, f"{case.name}/{name}", line) for case in cases for name, line in case.lines.items()]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


@contextmanager
def worker(directory: Path, env: Mapping[str, str]) -> Iterator[None]:
    """A worker process for as long as the block runs."""
    with (directory / "worker.log").open("wb") as log:
        command = [sys.executable, "-m", "holdfast.worker", "--config", "holdfast.toml"]
        process = subprocess.Popen(command, cwd=directory, env=env, stdin=subprocess.DEVNULL, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def local(directory: Path, env: Mapping[str, str]) -> Iterator[LocalBackend]:
    installation = Installation(load(directory / "holdfast.toml", env))
    try:
        yield LocalBackend(installation)
    finally:
        installation.close()


def hold(backend: LocalBackend, case: Case) -> Iterator[tuple[str, dict[str, Any]]]:
    """Submit a case whose jobs wait for longer than a test does; yield each once it was tried, and give it up."""
    items = [addressed(case, f"{case.name}/{name}", line) for name, line in case.lines.items()]
    end = time.monotonic() + PATIENCE
    for accepted in backend.submit(SubmitRequest(items, JobDefaults(), many=True)).jobs:
        job = backend.job(accepted.id)
        while not is_tried(job) and time.monotonic() < end:
            time.sleep(0.1)
            job = backend.job(accepted.id)
        backend.cancel(accepted.id)
        yield job["custom_id"], job


def is_tried(job: Mapping[str, Any]) -> bool:
    return any(attempt["ended_at"] for attempt in job["attempts"])


def run(directory: Path, env: Mapping[str, str]) -> tuple[int, str]:
    """`holdfast run`, interrupted when its jobs do not end."""
    command = [*HOLDFAST, "run", "in.jsonl", "-o", "out.jsonl"]
    process = subprocess.Popen(
        command, cwd=directory, env=env, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        _, said = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE)
    return process.returncode, said


def read(backend: LocalBackend, outcome: SliceOutcome) -> None:
    """Read every job with its attempts and the body of its answer, and the breakers' states."""
    cursor: str | None = None
    while True:
        page = backend.jobs(JobFilter(), PAGE, cursor)
        for job in page["jobs"]:
            outcome.jobs[job["custom_id"]] = backend.job(job["id"])
            with suppress(NoResponse):
                outcome.bodies[job["custom_id"]] = backend.response(job["id"]).body
        cursor = page["next"]
        if cursor is None:
            break
    for route in backend.routes()["routes"]:
        outcome.breakers |= {breaker["scope"]: breaker["state"] for breaker in route["breakers"]}


def output(path: Path) -> dict[str, dict[str, Any]]:
    if not path.exists():
        return {}
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return {line["custom_id"]: line for line in lines}

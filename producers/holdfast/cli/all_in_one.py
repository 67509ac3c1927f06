"""All-in-one mode: the API, workers and storage as children of one process, and a welcome once all of it works."""

import os
import socket
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from holdfast.cli.own_workers import worker_children
from holdfast.cli.processes import Child, Processes
from holdfast.cli.programs import load as load_program
from holdfast.cli.readiness import Readiness, Welcome
from holdfast.cli.tables import plain
from holdfast.cli.unusable import report_unusable
from holdfast.config import Server, Settings, load
from holdfast.config.pool_socket import pool_socket
from holdfast.config.up_file import HOME, SIMULATED, is_up, told_up
from holdfast.model.errors import Conflict, InvalidRequest

SIM_PORT, PAIRS = 8801, 20  # where a pair of simulated providers listens, and so many pairs of ports beyond it
LOOPBACK = "127.0.0.1"
SIM_RATE = 50  # requests a second that each simulated provider lets in


def simulated(config: Path | None) -> Settings:
    """Write a configuration for simulated providers beside the embedded storage, and load it."""
    if config is not None:
        raise InvalidRequest("--sim", "brings its own configuration.", "Leave out --config, or --sim.")
    refuse_second()
    HOME.mkdir(exist_ok=True)
    first = free_pair()
    urls = [f"http://127.0.0.1:{port}" for port in (first, first + 1)]
    SIMULATED.write_text(load_program("sim_config")(*urls), encoding="utf-8")
    return load(SIMULATED)


def refuse_second() -> None:
    """Refuse to start what runs in this folder already: it has its own configuration here. Raises Conflict."""
    if (pid := is_up()) not in {None, os.getpid()}:
        raise Conflict("holdfast up", f"it runs in this folder already (process {pid}). `holdfast down` ends it.")


def free_pair() -> int:
    """Find two free ports in a row, and return the first. Raises Conflict."""
    last = SIM_PORT + 2 * PAIRS
    for first in range(SIM_PORT, last, 2):
        with suppress(Conflict):
            check_free(LOOPBACK, first)
            check_free(LOOPBACK, first + 1)
            return first
    raise Conflict(
        "--sim", f"no two ports in a row from {SIM_PORT} to {last} are free. End another `holdfast up --sim`."
    )


def sim_ports(settings: Settings) -> list[int]:
    """Return the ports that a configuration of ``simulated`` names."""
    return [port for each in settings.providers.values() if (port := urlsplit(each.base_url).port)]


def checked(settings: Settings, *, port: int | None) -> Server:
    """Check what would keep it from starting, and return where the API will listen. Raises Conflict, NoUsableKey."""
    server = settings.server.model_copy(update={"port": port or settings.server.port})
    refuse_second()
    report_unusable(settings)
    load_program("api_check")(replace(settings, server=server))
    check_free(server.host, server.port)
    return server


def serve(settings: Settings, *, sim: bool, processes: int | None, port: int | None) -> None:
    """Run it all until a signal ends it. Raises Conflict, ChildFailed."""
    server = checked(settings, port=port)
    from holdfast.client.installation import Installation
    from holdfast.client.local import LocalBackend

    backend = LocalBackend(Installation(settings), tenant=None)
    backend.installation.ready()  # once, before many do so at once
    config = ["--config", str(settings.source)] if settings.source else []
    address = ["--host", server.host, "--port", str(server.port), "--pool-socket", str(pool_socket(settings.source))]
    api = Child("API", "holdfast.cli", [*config, "api", *address])
    pool = worker_children(settings, processes, log=False)
    ports = sim_ports(settings) if sim else []
    if not sim:
        SIMULATED.unlink(missing_ok=True)  # of one that was killed
    readiness = Readiness(server, pool, backend, ports)
    greeter = Welcome(readiness, welcome(settings, server, ports))
    with told_up(), closing(backend):
        Processes([*simulators(ports), api, *pool], settings.worker.grace).serve(greeter.greet)


def simulators(ports: Sequence[int]) -> list[Child]:
    """Describe the process of the simulated providers, where they are wanted."""
    arguments = ["sim", "serve", "--rate", str(SIM_RATE), "--port"]
    return [Child("simulated providers", "holdfast.cli", [*arguments, str(port)]) for port in ports[:1]]


def check_free(host: str, port: int) -> None:
    """Raise Conflict where another process listens already."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            hint = "Is Holdfast up already? Else choose another with --port."
            raise Conflict(f"port {port}", f"{error.strerror}. {hint}") from None


def welcome(settings: Settings, server: Server, ports: Sequence[int] = ()) -> list[str]:
    url = f"http://{server.host}:{server.port}"
    model = next(iter(settings.models), "provider/model")
    lines = [
        "",
        f"[bold]Holdfast is up[/]  {url}   (API documentation: {url}/docs)",
        f"dashboard       {url}/ui",
        plain(
            f"storage         {settings.storage.directory}/"
            if is_embedded(settings)
            else "storage         as configured"
        ),
        *([f"simulated       providers on the ports {' and '.join(map(str, ports))}"] if ports else []),
        "",
        "in another terminal, in this folder:",
        plain(f'  holdfast ask "What is a holdfast?" --model {model}'),
        plain(f"  holdfast run prompts.jsonl -o answers.jsonl --model {model}"),
        "  holdfast status",
    ]
    if ports:
        lines += ["  holdfast sim break anthropic    (and sim heal)"]
    return [*lines, f"elsewhere: export HOLDFAST_URL={url} first", "", "Ctrl-C ends it; jobs stay where they are."]


def is_embedded(settings: Settings) -> bool:
    return settings.storage.redis_url == "embedded" and settings.storage.database_url.startswith("sqlite")

"""All-in-one mode: the API, workers and storage as children of one process, and a welcome once the API answers."""

import http.client
import socket
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from holdfast.cli.own_workers import worker_children
from holdfast.cli.processes import Child, Processes
from holdfast.cli.programs import load as load_program
from holdfast.cli.show import err, say
from holdfast.cli.tables import plain
from holdfast.cli.unusable import report_unusable
from holdfast.config import Server, Settings, load
from holdfast.config.up_file import HOME, SIMULATED, told_up
from holdfast.model.errors import Conflict, InvalidRequest

SIM_PORT = 8801
SIM_RATE = 50  # requests a second that each simulated provider lets in
READY_SECONDS = 30.0


def simulated(config: Path | None) -> Settings:
    """Write a configuration for simulated providers beside the embedded storage, and load it."""
    if config is not None:
        raise InvalidRequest("--sim", "brings its own configuration.", "Leave out --config, or --sim.")
    HOME.mkdir(exist_ok=True)
    urls = [f"http://127.0.0.1:{port}" for port in (SIM_PORT, SIM_PORT + 1)]
    SIMULATED.write_text(load_program("sim_config")(*urls), encoding="utf-8")
    return load(SIMULATED)


def serve(settings: Settings, *, sim: bool, processes: int | None, port: int | None) -> None:
    """Run it all until a signal ends it. Raises Conflict, ChildFailed."""
    server = settings.server.model_copy(update={"port": port or settings.server.port})
    report_unusable(settings)
    load_program("api_check")(replace(settings, server=server))
    check_free(server.host, server.port)
    for number in (SIM_PORT, SIM_PORT + 1) if sim else ():
        check_free("127.0.0.1", number, "The simulated providers need it: end the other `holdfast up --sim`.")
    from holdfast.client.installation import Installation

    Installation(settings).ready()  # once, before many do so at once
    config = ["--config", str(settings.source)] if settings.source else []
    api = Child("API", "holdfast.cli", [*config, "api", "--host", server.host, "--port", str(server.port)])
    children = [api, *worker_children(settings, processes or settings.worker.processes, log=False)]
    if sim:
        arguments = ["sim", "serve", "--port", str(SIM_PORT), "--rate", str(SIM_RATE)]
        children.insert(0, Child("simulated providers", "holdfast.cli", arguments))
    if not sim:
        SIMULATED.unlink(missing_ok=True)  # of one that was killed
    with told_up():
        Processes(children, settings.worker.grace).serve(Welcome(server, welcome(settings, server, sim=sim)).greet)


def check_free(host: str, port: int, hint: str = "Is Holdfast up already? Else choose another with --port.") -> None:
    """Raise Conflict where another process listens already."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Conflict(f"port {port}", f"{error.strerror}. {hint}") from None


class Welcome:
    """Says what to do next as soon as the API answers."""

    def __init__(self, server: Server, lines: Sequence[str]) -> None:
        self._server, self._lines = server, lines
        self._until = time.monotonic() + READY_SECONDS
        self._done = False

    def greet(self) -> None:
        if self._done:
            return
        if self._answers():
            err().print("\n".join(self._lines))
            self._done = True
        elif time.monotonic() > self._until:
            say(f"the API does not answer on port {self._server.port} yet; its messages are above")
            self._done = True

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(self._server.host, self._server.port, timeout=1)
        try:
            connection.request("GET", "/livez")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def welcome(settings: Settings, server: Server, *, sim: bool) -> list[str]:
    url = f"http://{server.host}:{server.port}"
    model = next(iter(settings.models), "provider/model")
    lines = [
        "",
        f"[bold]Holdfast is up[/]  {url}   (API documentation: {url}/docs)",
        plain(
            f"storage         {settings.storage.directory}/"
            if is_embedded(settings)
            else "storage         as configured"
        ),
        "",
        "in another terminal:",
        f"  export HOLDFAST_URL={url}",
        plain(f'  holdfast ask "What is a holdfast?" --model {model}'),
        plain(f"  holdfast run prompts.jsonl -o answers.jsonl --model {model}"),
        "  holdfast status",
    ]
    if sim:
        lines += ["  holdfast sim break anthropic    (and sim heal)"]
    return [*lines, "", "Ctrl-C ends it; jobs stay where they are."]


def is_embedded(settings: Settings) -> bool:
    return settings.storage.redis_url == "embedded" and settings.storage.database_url.startswith("sqlite")

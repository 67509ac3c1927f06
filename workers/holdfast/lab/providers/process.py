"""A simulated provider in a process of its own, for benches, the demo and tests that measure."""

import subprocess
import sys
from types import TracebackType
from typing import Any, Self

import orjson

from holdfast.lab.providers import control
from holdfast.lab.providers.settings import InjectedFault, SimSettings

GOODBYE = 5.0  # seconds to end before it is killed


class SimProcess:
    """Start ``python -m holdfast.lab.providers`` and speak to it: ``with SimProcess(settings) as sim: … sim.url``.

    The process ends with this object, and by itself when its parent dies: it reads its standard input to the end.
    """

    def __init__(self, settings: SimSettings | None = None) -> None:
        self.settings = settings or SimSettings()
        self.url = ""

    def start(self) -> Self:
        command = [
            sys.executable,
            "-m",
            "holdfast.lab.providers",
            "--settings",
            self.settings.model_dump_json(),
            "--until-eof",
        ]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603  our own
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the simulated provider ended with status {self._process.wait()} before it was ready")
        self.url = orjson.loads(line)["url"]
        return self

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(GOODBYE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def break_(self, fault: InjectedFault) -> None:
        control.break_(self.url, fault)

    def heal(self) -> None:
        control.heal(self.url)

    def reset(self) -> None:
        control.reset(self.url)

    def counts(self) -> dict[str, Any]:
        return control.counts(self.url)

    def timeline(self) -> dict[str, Any]:
        return control.timeline(self.url)

    def calls(self) -> list[dict[str, Any]]:
        return control.calls(self.url)

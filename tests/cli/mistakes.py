"""What tables of mistakes share: a mistake, the folder in which it is made, and what every answer has to be."""

import http.server
import os
import shlex
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.ended import Ended
from holdfast.model.records import JobFilter
from holdfast.store import Store
from holdfast.store.jobs import count_jobs

LINE = '{"prompt": "hi", "model": "smart"}\n'
NOWHERE = "job_" + "0" * 32
FILES: Mapping[str, str] = {
    "in.jsonl": LINE,
    "out.jsonl.part": LINE,
    "data.csv": "text,n\nhi,1\n",
    "nomodel.jsonl": '{"prompt": "hi"}\n',
    "empty.toml": "",
    "array.json": '[{"prompt": "hi"}]',
    "no.db": "this is no database at all\n",
    "other.key": "sk-of-somebody-else\n",
}


@dataclass(frozen=True)
class Mistake:
    """``says``: words of the answer, in lower case. ``env``: variables that are set. ``stdin``: what is piped in."""

    command: str
    status: int
    says: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    stdin: str | bytes | None = None


def mistake(command: str, status: int, *says: str, stdin: str | bytes | None = None, **env: str) -> object:
    named = " ".join([*(f"{name}={value}" for name, value in env.items()), command])
    return pytest.param(Mistake(command, status, says, tuple(env.items()), stdin), id=named)


class Other(http.server.BaseHTTPRequestHandler):
    """A server that knows nothing of us: below /json it says so as JSON."""

    def do_GET(self) -> None:
        if not self.path.startswith("/json"):
            self.send_error(404)
            return
        self.send_response(404)
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"error": {"message": "no such path"}}')

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def strangers() -> Iterator[dict[str, str]]:
    """Yield the addresses of somebody else's server, and a port that is taken."""
    server = http.server.HTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        other = f"http://127.0.0.1:{server.server_port}"
        yield {"other": other, "json": f"{other}/json", "taken": str(taken.getsockname()[1])}
    server.shutdown()
    server.server_close()


def lay_out(folder: Path) -> None:
    """Write the files that mistakes are made with."""
    for name, text in FILES.items():
        (folder / name).write_text(text)
    (folder / "folder").mkdir()
    (folder / "loop.jsonl").symlink_to(folder / "loop.jsonl")
    (folder / "nothing.jsonl").symlink_to(folder / "missing.jsonl")
    (folder / "hard.jsonl").hardlink_to(folder / "in.jsonl")
    os.mkfifo(folder / "pipe")


def make_mistake(
    cli: Callable[..., Ended],
    store: Store,
    folder: Path,
    addresses: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    mistake: Mistake,
) -> None:
    """Run a command with its mistake in ``folder``, and hold what it answers against what was to be said."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    lay_out(folder)
    for name, value in mistake.env:
        monkeypatch.setenv(name, value)
    ended = cli(*shlex.split(mistake.command.format(**addresses)), stdin=mistake.stdin)
    check_answer(ended, mistake, store, folder, addresses)


def check_answer(ended: Ended, mistake: Mistake, store: Store, folder: Path, addresses: Mapping[str, str]) -> None:
    """Hold an answer against what was to be said: in three lines at most, with the right status, and nothing paid."""
    said = ended.err + ended.out
    assert ended.status == mistake.status, said
    lines = [line for line in said.splitlines() if line.strip()]
    assert 1 <= len(lines) <= 3, said
    for part in mistake.says:
        assert part.format(**addresses) in said.lower(), said
    assert "Traceback" not in said
    assert store.read(count_jobs, JobFilter()) == 0
    assert not (folder / "out.jsonl").exists()
    assert (folder / "in.jsonl").read_text() == LINE

"""No secret is ever written down: one canary for each, every fault there is, and then a search of everything.

Everything: all of SQL, all of Redis, what every process wrote, what HTTP and the command line answered, files, and the
arguments that anybody on the machine can read.
"""

import base64
import os
import signal
import subprocess
import sys
import time
import traceback
import urllib.parse
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
import redis
from sqlalchemy import select
from typer.testing import CliRunner

from api.keys import add_key
from holdfast.cli.main import app
from holdfast.client.installation import Installation
from holdfast.config import Settings, load
from holdfast.lab.providers.process import SimProcess
from holdfast.lab.providers.settings import REFUSING, SPOILING, InjectedFault, SimSettings
from holdfast.lanes import Lanes, connect
from holdfast.model.access import KeyScope
from holdfast.model.ids import new_id
from holdfast.model.job import Need, Offer
from holdfast.store.api_keys import revoke_key
from holdfast.store.tables import METADATA
from redis_servers import free_port, redis_server
from servers import postgres

STATUSES = ("e400", "e401", "e402", "e403", "e404", "e408", "e409", "e413", "e422", "e429", "e500", "e503", "e529")
MODES = (*STATUSES, *REFUSING, *SPOILING)
PATIENCE = 480.0  # seconds for everything to end, on a machine that is busy with other things
# Every process of ours, with every library of it as talkative as it can be.
TALKATIVE = (
    "import logging, runpy, sys; logging.basicConfig(level=1, stream=sys.stderr); "
    "sys.argv = sys.argv[1:]; runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
)
PROVIDER = """
[providers.{name}]
api = "{api}"
base_url = "{url}"
deadline = "2s"
credentials = [{{ name = "main", secret = "{secret}" }}]
[models.{name}]
routes = [{{ provider = "{name}", model = "{name}" }}{elsewhere}]
"""
ELSEWHERE = ', { provider = "good", model = "good" }'


def canary(name: str) -> str:
    return f"canary-{name}-7f3a9c51"


@dataclass
class System:
    """One installation with a canary for every secret, and all that it ever said."""

    directory: Path
    settings: Settings
    environment: dict[str, str]
    secrets: dict[str, str]
    said: dict[str, bytes] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        with (self.directory / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-X", "dev", "-c", TALKATIVE, *command],
                env=self.environment, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        return self.processes[name]

    def command(self, *words: str, **more: str) -> None:
        """Run a command as a person would, and keep what it said; a traceback too, if there is one."""
        ran = CliRunner().invoke(app, list(words), env=self.environment | more, prog_name="holdfast")
        trace = "".join(traceback.format_exception(ran.exception)) if ran.exception else ""
        self.said[f"holdfast {' '.join(words)} {sorted(more)}"] = f"{ran.output}\n{ran.stderr}\n{trace}".encode()

    def until(self, what: Any) -> None:
        end = time.monotonic() + PATIENCE
        while not what():
            assert time.monotonic() < end, {name: log[-2_000:] for name, log in self.logs().items()}
            self.look_at_arguments()
            time.sleep(0.2)

    def look_at_arguments(self) -> None:
        """Keep what anybody may read of our processes and their children."""
        ours = {os.getpid(), *(process.pid for process in self.processes.values())}
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if parent in ours and b"redis" not in (line := (entry / "cmdline").read_bytes()):
                    self.said[f"arguments of {entry.name}"] = line
            except (OSError, ValueError):
                continue

    def logs(self) -> dict[str, bytes]:
        return {f"log {path.name}": path.read_bytes() for path in self.directory.glob("*.log")}

    def close(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
            process.wait()


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    with ExitStack() as stack:
        kept = stack.enter_context(redis_server(tmp_path / "redis"))
        kept.client().config_set("requirepass", canary("redis"))
        database = stack.enter_context(postgres()).replace("holdfast@/", f"holdfast:{canary('database')}@/")
        sim = stack.enter_context(SimProcess(SimSettings(latency=(0.0, 0.01))))
        for mode in MODES:
            sim.break_(InjectedFault(mode=mode, model=mode, delay=5.0 if mode in {"slow", "trickle"} else None))
        home = tmp_path / "home"
        home.mkdir()
        secrets, environment = written(home, sim.url)
        environment |= {
            "HOLDFAST_DATABASE_URL": database,
            "HOLDFAST_REDIS_URL": f"redis://:{canary('redis')}@127.0.0.1:{kept.port}/0",
            "HOLDFAST_MESSAGE_KEY": canary("message"),
            "HOLDFAST_TOKEN_KEY": canary("token"),
            "HOLDFAST_CONFIG": str(home / "holdfast.toml"),
            "NO_COLOR": "1",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        secrets |= {name: canary(name) for name in ("redis", "database", "message", "token")}
        made = System(home, load(home / "holdfast.toml"), {**os.environ, **environment}, secrets)
        stack.callback(made.close)
        yield made


def written(home: Path, sim: str) -> tuple[dict[str, str], dict[str, str]]:
    """Write a configuration with one provider for each fault; return the secrets, and the environment they are in."""
    secrets, environment, text = {}, {}, ""
    for place, name in enumerate(("good", *MODES)):
        secret = canary(f"provider-{name}")
        secrets[name] = secret
        if place % 2:
            environment[f"CANARY_{place}"], reference = secret, f"env:CANARY_{place}"
        else:
            file = home.parent / "mounted" / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(secret)
            reference = f"file:{file}"
        api, url = ("openai-chat", f"{sim}/v1") if place % 3 else ("anthropic", sim)
        text += PROVIDER.format(name=name, api=api, url=url, secret=reference, elsewhere=ELSEWHERE * (name != "good"))
    (home / "holdfast.toml").write_text(f'[storage]\ndirectory = "{home}/.holdfast"\n[worker]\nlease = "3s"\n{text}')
    return secrets, environment


@pytest.mark.timeout(1_200)
def test_no_secret_is_ever_written_down(system: System) -> None:
    installation = Installation(system.settings)
    store = installation.ready()
    keys = {name: add_key(store, tenant, scope) for name, tenant, scope in (
        ("admin", None, KeyScope.ADMIN), ("reader", "default", KeyScope.READ), ("revoked", "default", KeyScope.READ),
    )}  # fmt: skip
    store.write(revoke_key, keys["revoked"][3:19], "test")
    keys["unknown"] = "hf_00000000000000aa_" + "5e" * 24
    system.secrets |= {f"key {name}": key.rpartition("_")[2] for name, key in keys.items()}
    system.environment |= {"HOLDFAST_API_KEY": keys["admin"]}
    garble(system)
    port = free_port()
    system.start("api", "holdfast.cli", "api", "--port", str(port))
    worker = system.start("worker", "holdfast.worker")
    http = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False)
    system.until(lambda: answers(http))
    run_through_every_fault(system, http, keys)
    ask_for_everything(system, http, keys)
    use_every_command(system, port)
    worker.send_signal(signal.SIGABRT)  # with its tracebacks, as a crash would have them
    worker.wait(20)
    system.look_at_arguments()
    places = system.said | system.logs() | in_sql(store) | in_redis(system) | in_files(system.directory)
    installation.close()
    assert len(places) > 100
    assert leaks(places, system.secrets) == []


def answers(http: httpx2.Client) -> bool:
    try:
        return http.get("/readyz").status_code == 200
    except httpx2.TransportError:
        return False


def garble(system: System) -> None:
    """Put into Redis what nobody with our key wrote."""
    connection = connect(system.environment["HOLDFAST_REDIS_URL"], Path())
    kept = redis.Redis.from_url(system.environment["HOLDFAST_REDIS_URL"])
    for mode in MODES[:5]:
        lane = f"{mode}.batch"
        kept.lpush(connection.keys.lane(lane), b"\xff\xfe", b"", b"x" * 10_000)
        kept.hset(connection.keys.messages(lane), b"\xff\xfe", b"{not json")
        Lanes(connection).offer([Offer(new_id(), lane, Need(10, 10)) for _ in range(3)])
    connection.close()


def run_through_every_fault(system: System, http: httpx2.Client, keys: Mapping[str, str]) -> None:
    jobs = [{"model": mode, "prompt": f"{mode} {n}"} for mode in MODES for n in range(2)]
    sent = http.post("/api/v1/jobs", json={"jobs": jobs}, headers={"x-api-key": keys["admin"]})
    assert sent.status_code == 202, sent.text
    batch = sent.json()["status_url"]
    bearer = {"Authorization": f"Bearer {keys['admin']}"}

    def ended() -> bool:
        counts = http.get(batch, headers=bearer).json()["counts"]
        return sum(counts[state] for state in ("queued", "delayed", "running")) == 0

    system.until(ended)
    attempts = [
        attempt
        for job in http.get("/api/v1/jobs?limit=1000", headers=bearer).json()["jobs"]
        for attempt in http.get(f"/api/v1/jobs/{job['id']}", headers=bearer).json()["attempts"]
    ]
    assert {attempt["route"].partition("/")[0] for attempt in attempts} >= set(MODES)  # every fault was met


class Names(dict[str, str]):
    """What stands for the parameters of paths: where nothing is given, a name that nothing has."""

    def __missing__(self, parameter: str) -> str:
        return f"{parameter}_0"


def ask_for_everything(system: System, http: httpx2.Client, keys: Mapping[str, str]) -> None:
    admin = {"Authorization": f"Bearer {keys['admin']}"}
    job = http.get("/api/v1/jobs", headers=admin).json()["jobs"][0]["id"]
    paths = [path.format_map(Names(job=job, name="good/good"))
             for path in http.get("/openapi.json", headers=admin).json()["paths"]]  # fmt: skip
    for path in [*paths, "/docs", "/openapi.json", "/nowhere", *(f"/api/v1/jobs?state={s}" for s in ("dead", "x"))]:
        for name, key in keys.items():
            for method in ("GET", "POST"):
                paged = {"accept": "application/json"} if path.endswith("/events") else {}  # their stream has no end
                answer = http.request(method, path, headers={"x-api-key": key} | paged)
                system.said[f"{method} {path} as {name}"] = str(answer.headers).encode() + answer.content
    for key in (keys["unknown"] + "x", f"{keys['reader']} {keys['admin']}", "Basic " + keys["admin"]):
        system.said[f"odd {len(system.said)}"] = http.get("/api/v1/jobs", headers={"Authorization": key}).content
    for url in (f"/api/v1/jobs?cursor={'x' * 40}", "/api/v1/jobs?tenant=%00"):
        system.said[url] = http.get(url, headers=admin).content


def use_every_command(system: System, port: int) -> None:
    asked = (("status",), ("ledger",), ("job", "list", "--limit", "50"), ("lane", "list"), ("route", "list"),
             ("dlq", "list"), ("dlq", "groups"), ("batch", "list"), ("config", "show"), ("config", "check"),
             ("key", "list", "--all"))  # fmt: skip
    for words in asked:
        system.command(*words, "--json")
        system.command(*words)
    for words in (("status",), ("job", "list")):
        system.command(*words, "--server", f"http://127.0.0.1:{port}")
        system.command(*words, "--server", "http://127.0.0.1:9")
        system.command(*words, HOLDFAST_DATABASE_URL=f"postgresql://u:{canary('database')}@127.0.0.1:9/x")
        system.command(*words, HOLDFAST_REDIS_URL=f"redis://:{canary('redis')}@127.0.0.1:9/0")
    system.command("status", HOLDFAST_REDIS_URL=f"nonsense://:{canary('redis')}@127.0.0.1:9/0")
    system.command("status", HOLDFAST_DATABASE_URL=f"nonsense://:{canary('database')}@127.0.0.1:9/0")
    system.command("status", HOLDFAST_REDIS_URL=f"{system.environment['HOLDFAST_REDIS_URL']}x", HOLDFAST_MESSAGE_KEY="")
    system.command("job", "list", "--server", f"http://127.0.0.1:{port}", HOLDFAST_API_KEY=canary("provider-good"))


def in_sql(store: Any) -> dict[str, bytes]:
    """Every column of every row, and what is packed in those that are."""

    def read(tx: Any) -> dict[str, bytes]:
        return {
            f"table {name} row {place} {key}": opened(value)
            for name, table in METADATA.tables.items()
            for place, row in enumerate(tx.select(select(table)))
            for key, value in row._mapping.items()
            if value is not None
        }

    return store.read(read)  # type: ignore[no-any-return]


def opened(value: object) -> bytes:
    data = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
    try:
        return data + b"\n" + zlib.decompress(data)
    except zlib.error:
        return data


def in_redis(system: System) -> dict[str, bytes]:
    kept = redis.Redis.from_url(system.environment["HOLDFAST_REDIS_URL"])
    return {f"redis {key!r}": key + everything(kept, key) for key in kept.scan_iter("*")}


def everything(kept: "redis.Redis", key: bytes) -> bytes:
    match kept.type(key):
        case b"string":
            found: Any = kept.get(key)
        case b"hash":
            found = kept.hgetall(key)
        case b"list":
            found = kept.lrange(key, 0, -1)
        case b"set":
            found = kept.smembers(key)
        case b"zset":
            found = kept.zrange(key, 0, -1, withscores=True)
        case b"stream":
            found = kept.xrange(key)
        case _:
            found = b""
    return repr(found).encode()


def in_files(directory: Path) -> dict[str, bytes]:
    return {f"file {path}": path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def leaks(places: Mapping[str, bytes], secrets: Mapping[str, str]) -> list[str]:
    """Name every place that holds a secret, as it is or in one of the forms in which it travels."""
    found = []
    for name, secret in secrets.items():
        raw = secret.encode()
        forms = {raw, base64.b64encode(raw), urllib.parse.quote(secret).encode(), raw.hex().encode(), raw[::-1]}
        found += [f"{name} in {place}" for place, said in places.items() if any(form in said for form in forms)]
    return found


def test_the_search_finds_what_is_there() -> None:
    """Or the test above would prove nothing."""
    packed = opened(zlib.compress(b"a canary in a mine"))
    assert leaks({"a": packed, "b": b"Y2FuYXJ5", "c": b"nothing"}, {"bird": "canary"}) == ["bird in a", "bird in b"]

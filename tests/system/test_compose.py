"""Every command of compose.yaml, in the order that it starts them in, against a real Postgres and a real Redis.

What a container gives is taken from its host: names of hosts become free ports of loopback, /keys a folder, the image's
user nobody in particular, and its working directory is one that cannot be written.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from deploy.manifest import read_all
from installed import environment
from redis_servers import free_port, redis_server, until
from servers import postgres, stop

ROOT = Path(__file__).parents[2]
SERVICES = read_all(ROOT / "compose.yaml")[0]["services"]
IMAGE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
HEADER = (ROOT / "compose.yaml").read_text(encoding="utf-8").partition("\nx-holdfast")[0]
DEFAULT = re.compile(r"\$\{([A-Z_]+):-([^}]*)\}")
HOLDFAST = ("python", "-m", "holdfast.cli")
SECONDS = 280  # on a machine that is busy with other things
SET = {"HOLDFAST_CONFIG": "deploy/simulated.toml", "HOLDFAST_PROCESSES": "1"}  # as the header says, and one worker


class Composition:
    """The services, each with what stands for its container."""

    def __init__(self, folder: Path, database: str, redis: str) -> None:
        self.folder, self.config, self.keys = folder, folder / "config", folder / "keys"
        self.ports = {name: free_port() for name in ("api", "sim-first", "sim-second")}
        self.places = {
            "postgresql://holdfast:holdfast@postgres/holdfast": database,
            "redis://redis/0": redis,
            "http://127.0.0.1:8700": f"http://127.0.0.1:{self.ports['api']}",
            "/keys": str(self.keys),
            **{f"http://{name}:8801": f"http://127.0.0.1:{self.ports[name]}" for name in ("sim-first", "sim-second")},
        }
        (self.config / "deploy").mkdir(parents=True)
        simulated = self.here((ROOT / "deploy" / "simulated.toml").read_text(encoding="utf-8"))
        (self.config / "deploy" / "simulated.toml").write_text(f"{simulated}\n[server]\nport = {self.ports['api']}\n")
        self.config.chmod(0o500)

    def here(self, text: str) -> str:
        """Return a text of the file with what it says here: its variables as they are set, its hosts as ports."""
        said = DEFAULT.sub(lambda found: SET.get(found[1], found[2]), text)
        for there, place in self.places.items():
            said = said.replace(there, place)
        return said

    def environment(self, name: str) -> dict[str, str]:
        own = {key: self.here(str(value)) for key, value in SERVICES[name].get("environment", {}).items()}
        clean = {key: value for key, value in os.environ.items() if not key.startswith("HOLDFAST_")}
        return clean | own | {"NO_COLOR": "1"}

    def command(self, name: str) -> list[str]:
        service = SERVICES[name]
        words = [self.here(word).replace("0.0.0.0", "127.0.0.1") for word in service["command"]]
        if "--port" in words:
            words[words.index("--port") + 1] = str(self.ports[name])
        return [*(service.get("entrypoint") or HOLDFAST), *words]

    def run(self, words: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            replaced(words), cwd=self.config, env=env, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done

    @contextmanager
    def up(self, name: str) -> Iterator[None]:
        """Have a service run while the block does, and end as compose ends it."""
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                replaced(self.command(name)), cwd=self.config, env=self.environment(name), stdout=log, stderr=log
            )
        try:
            yield
            assert process.poll() is None, (self.folder / f"{name}.log").read_text()
        finally:
            stop(process)

    def healthy(self, name: str) -> bool:
        _kind, *words = SERVICES[name]["healthcheck"]["test"]
        asked = subprocess.run(replaced([self.here(word) for word in words]), capture_output=True, check=False)
        return asked.returncode == 0


def replaced(words: list[str]) -> list[str]:
    return [sys.executable if word == "python" else word for word in words]


@pytest.fixture(scope="module")
def composition(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composition]:
    folder = tmp_path_factory.mktemp("compose")
    with ExitStack() as stack:
        redis = stack.enter_context(redis_server(folder / "redis", maxmemory_policy="noeviction"))
        yield Composition(folder, stack.enter_context(postgres()), redis.url)


def test_what_the_file_starts_works_together(composition: Composition) -> None:
    for name in ("migration", "key", "migration", "key"):  # each again, as after a restart
        composition.run(composition.command(name), composition.environment(name))
    with ExitStack() as stack:
        for name in ("sim-first", "sim-second", "api", "worker"):
            stack.enter_context(composition.up(name))
        until(lambda: composition.healthy("api"))
        status = composition.run([*HOLDFAST, "status", "--json"], composition.environment("worker"))
        assert json.loads(status.stdout)["database_url"].startswith("postgresql://")
        key = (composition.keys / "api-key").read_text().strip()
        outside = {"HOLDFAST_URL": composition.places["http://127.0.0.1:8700"], "HOLDFAST_API_KEY": key}
        asked = composition.run([*HOLDFAST, "ask", "hello", "--model", "smart"], os.environ | outside)
        assert "answer to hello" in asked.stdout
    assert list(composition.config.rglob("*.db")) == []


def test_the_commands_of_the_header_name_what_is_there() -> None:
    names = re.findall(r"docker compose exec(?: -T)? (\w[\w-]*)", HEADER)
    assert set(names) == {"worker", "api"} <= set(SERVICES)
    assert "${HOLDFAST_EXTRAS:-run}" in SERVICES["api"]["build"]["args"]["EXTRAS"]


def test_the_steps_of_the_image_make_a_command_that_works(tmp_path: Path) -> None:
    """All but the download of what is pinned: `requirements/install` does that wherever these tests run."""
    app, python = tmp_path / "app", environment(tmp_path / "venv")
    app.mkdir()
    for line in re.findall(r"^COPY (.*)$", IMAGE, re.MULTILINE):
        *sources, _to = line.split()
        for source in sources:
            (shutil.copytree if (ROOT / source).is_dir() else shutil.copy)(ROOT / source, app / Path(source).name)
    (install,) = re.findall(r"^RUN python -m pip (install .* \.) \\$", IMAGE, re.MULTILINE)
    pip = [sys.executable, "-m", "pip", "--python", str(python), *install.split(), "--ignore-installed", "--quiet"]
    installed = subprocess.run(pip, cwd=app, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert installed.returncode == 0, installed.stdout + installed.stderr
    shutil.rmtree(app)
    (entry,) = re.findall(r'^ENTRYPOINT \["(.*)"\]$', IMAGE, re.MULTILINE)
    upgrade = [python.parent / entry, "db", "upgrade"]
    ran = subprocess.run(upgrade, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert ran.returncode == 0, ran.stderr


def test_workers_without_any_key_say_so_and_end(composition: Composition, tmp_path: Path) -> None:
    environment = composition.environment("worker") | {"HOLDFAST_CONFIG": ""}
    ran = subprocess.run(
        replaced(composition.command("worker")), cwd=tmp_path, env=environment, capture_output=True, text=True,
        timeout=SECONDS, check=False,
    )  # fmt: skip
    assert (ran.returncode, "set ANTHROPIC_API_KEY, OPENAI_API_KEY or" in ran.stderr) == (78, True), ran.stderr

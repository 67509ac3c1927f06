"""compose.yaml names commands, options, variables and files that exist, and starts things in the right order."""

import re
import shlex
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.manifest import read_all
from holdfast.cli.main import app
from holdfast.client.key_file import find_key
from holdfast.config import load
from holdfast.config.loading import STORAGE_VARIABLES
from holdfast.lab.providers.__main__ import read as read_sim
from holdfast.model.environment import CONFIG
from holdfast.model.loopback import is_loopback

ROOT = Path(__file__).parents[2]
COMPOSE = read_all(ROOT / "compose.yaml")[0]
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: each for name, each in SERVICES.items() if each["image"] == "holdfast"}
IMAGE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
DEFAULT = re.compile(r"\$\{[A-Z_]+:-([^}]*)\}")
KNOWN = {CONFIG, *STORAGE_VARIABLES.values(), "ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY"}


def test_everything_the_page_promises_is_there() -> None:
    assert set(SERVICES) == {"postgres", "redis", "migration", "key", "api", "worker", "sim-first", "sim-second"}
    assert all("healthcheck" in SERVICES[name] for name in ("postgres", "redis", "api"))
    assert all(SERVICES[name]["profiles"] == ["sim"] for name in ("sim-first", "sim-second"))


@pytest.mark.parametrize("name", [name for name in OURS if "entrypoint" not in OURS[name]])
def test_a_command_and_its_options_exist(name: str) -> None:
    words = [DEFAULT.sub(r"\1", word) for word in OURS[name]["command"]]
    done = CliRunner().invoke(app, [*words, "--help"])
    assert done.exit_code == 0, done.output
    assert all(word in done.output for word in words if word.startswith("--"))


def test_a_simulated_provider_listens_where_its_configuration_looks_for_it() -> None:
    settings = load(ROOT / "deploy" / "simulated.toml", env={})
    for provider, service in zip(settings.providers.values(), ("sim-first", "sim-second"), strict=True):
        sim, _ = read_sim(OURS[service]["command"])
        assert sim.host == "0.0.0.0"
        assert provider.base_url.startswith(f"http://{service}:{sim.port}")


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_one_that_holdfast_reads(name: str) -> None:
    assert set(OURS[name].get("environment", {})) <= KNOWN


def test_nothing_works_on_a_database_that_was_not_migrated() -> None:
    for name in ("key", "worker"):
        assert OURS[name]["depends_on"]["migration"] == {"condition": "service_completed_successfully"}
    assert OURS["migration"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert OURS["migration"]["restart"] == "on-failure"


def test_a_worker_may_finish_its_calls_before_it_is_killed() -> None:
    assert int(OURS["worker"]["stop_grace_period"].removesuffix("s")) > load(None, env={}).worker.grace


def test_no_port_is_open_to_strangers_unless_somebody_says_so() -> None:
    ports = [DEFAULT.sub(r"\1", port) for each in SERVICES.values() for port in each.get("ports", [])]
    assert len(ports) == 3
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_api_listens_beyond_its_container_and_has_a_key_before_it_starts() -> None:
    api, key = OURS["api"], OURS["key"]
    host = api["command"][api["command"].index("--host") + 1]
    assert not is_loopback(host)
    assert api["depends_on"]["key"] == {"condition": "service_completed_successfully"}
    file = PurePosixPath(key["command"][key["command"].index("--to") + 1])
    (volume,) = key["volumes"]
    assert volume == f"keys:{file.parent}"
    assert f"{volume}:ro" in api["volumes"]
    assert f"--owner 1000 --mode 700 {file.parent}" in (ROOT / "Dockerfile").read_text()
    assert f"exec -T api cat {file}" in (ROOT / "compose.yaml").read_text()
    published = DEFAULT.sub(r"\1", api["ports"][0])
    assert published.endswith(f":{load(None, env={}).server.port}")


def test_the_command_that_makes_the_key_makes_one_and_then_keeps_it(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("HOLDFAST_DATABASE_URL", f"sqlite:///{tmp_path}/holdfast.db")
    words = [word.replace("/keys", str(tmp_path / "keys")) for word in OURS["key"]["command"]]
    ended = [CliRunner().invoke(app, words) for _ in range(2)]
    assert [each.exit_code for each in ended] == [0, 0]
    assert ended[0].stdout == ended[1].stdout
    assert find_key({"HOLDFAST_API_KEY_FILE": str(tmp_path / "keys" / "api-key")}) is not None


def test_the_image_is_built_from_files_that_exist_and_are_sent_to_the_builder() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    copied = [word for line in lines if line.startswith("COPY ") for word in shlex.split(line)[1:-1]]
    sent = (ROOT / ".dockerignore").read_text().split()
    assert copied
    assert all((ROOT / name).exists() and f"!{name}" in sent for name in copied)


@pytest.mark.parametrize("name", OURS)
def test_our_image_is_built_and_never_pulled(name: str) -> None:
    assert OURS[name]["pull_policy"] == "build"
    ((argument, value),) = OURS[name]["build"]["args"].items()
    default = DEFAULT.sub(r"\1", value)
    assert f"ARG {argument}={default}\n" in IMAGE


def test_the_locks_that_an_image_can_be_built_with_are_there() -> None:
    for extras in ("run", "clouds"):
        assert (ROOT / "requirements" / f"{extras}.txt").exists()
    assert 'requirements/${EXTRAS}.txt"' in IMAGE

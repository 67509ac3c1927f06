"""A simulated provider in its own process: started, steered, ended."""

import os
import subprocess
import sys

import pytest

from holdfast.config import load
from holdfast.lab.providers import InjectedFault, SimProcess, SimSettings, control
from holdfast.lab.providers.__main__ import read
from holdfast.lab.providers.serve import config


def test_it_is_steered_from_outside_and_ends_with_its_owner() -> None:
    with SimProcess(SimSettings(latency=(0, 0), rate=5, burst=7)) as sim:
        sim.break_(InjectedFault(mode="e503"))
        sim.heal()
        control.change(sim.url, {"rate": 9})
        sim.reset()
        assert sim.counts()["calls"] == 0
        assert sim.calls() == []
        assert sim.timeline()["points"] == []
        with pytest.raises(ValueError, match="fraction"):
            control.change(sim.url, {"fraction": 1})
        url, pid = sim.url, sim.pid
    with pytest.raises(control.SimUnreachable, match="sim serve"):
        control.counts(url)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_it_ends_when_its_parent_is_gone() -> None:
    command = [sys.executable, "-m", "holdfast.lab.providers", "--until-eof"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline().startswith(b'{"url":"http://127.0.0.1:')
        process.stdin.close()
        assert process.wait(timeout=280) == 0


def test_the_command_line_changes_some_settings_and_keeps_the_others() -> None:
    settings, until_eof = read(["--settings", '{"burst": 9}', "--rate", "50", "--latency", "0.2", "--no-headers"])
    assert settings == SimSettings(burst=9, rate=50, latency=(0.2, 0.2), headers=False)
    assert not until_eof
    assert read(["--latency", "0.1", "0.3"])[0].latency == (0.1, 0.3)


def test_the_printed_configuration_is_valid_and_names_both_providers(tmp_path) -> None:
    path = tmp_path / "holdfast.toml"
    path.write_text(config("http://127.0.0.1:9001", "http://127.0.0.1:9002"))
    settings = load(path, {})
    assert [route.provider for route in settings.plan("smart").routes] == ["anthropic", "openai"]
    assert settings.providers["openai"].base_url == "http://127.0.0.1:9002/v1"

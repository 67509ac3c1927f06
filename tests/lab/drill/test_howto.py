"""The page about drills is right: its commands run, its configuration loads, its table is what planted bugs say."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from holdfast.config import load
from lab.simulation.planted import BUGS

PAGE = (Path(__file__).parents[3] / "docs" / "howto" / "drill.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(sh|toml)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [text for language, text in BLOCKS if language == "sh"]
(CONFIG,) = [text for language, text in BLOCKS if language == "toml"]


@pytest.mark.system
@pytest.mark.parametrize("commands", COMMANDS)
def test_every_command_of_the_page_runs(tmp_path: Path, commands: str):
    (tmp_path / "holdfast.toml").write_text(CONFIG)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")}
    environment = clean | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{clean['PATH']}"}
    ran = subprocess.run(
        ["sh", "-euc", commands],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


def test_its_configuration_loads(tmp_path: Path):
    (tmp_path / "holdfast.toml").write_text(CONFIG)
    assert list(load(tmp_path / "holdfast.toml", {}).models) == ["smart"]


def test_the_table_of_planted_bugs_says_what_each_of_them_makes_the_drill_say():
    told = re.findall(r"^\| [^|]+ \| ([^|]+) \|$", PAGE.partition("## That it sees")[2], re.MULTILINE)[2:]
    assert told == [bug.sees for bug in BUGS]

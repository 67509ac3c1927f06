"""What stands beside or above the command line is found by entry points, and missed with a sentence."""

import pytest
from typer.testing import CliRunner

from holdfast.cli import main, programs
from holdfast.cli.command import Noun
from holdfast.cli.lazy_group import ProgramSource, lazy_group


def test_every_program_is_found():
    names = {each.name for each in programs.entry_points(group=programs.GROUP)}
    assert names == {"worker", "api", "api_check", "demo", "drill", "sim", "sim_config"}
    assert all(callable(programs.load(name)) for name in names)


def test_a_program_that_is_not_installed_is_named_with_what_to_do():
    with pytest.raises(programs.NotInstalled, match=r"^juggler is not installed here: .*Install Holdfast anew"):
        programs.load("juggler")


def test_the_command_of_a_missing_part_says_so_whatever_it_is_given():
    app = Noun("", cls=lazy_group({"juggler": ProgramSource("juggler"), "db": main.COMMANDS["db"]}))
    app.callback()(main.root)
    shown = CliRunner().invoke(app, ["juggler", "five", "--clubs"])
    listed = CliRunner().invoke(app, ["--help"])
    assert "db" in listed.output
    assert shown.exit_code == programs.NotInstalled.exit_status
    assert "juggler is not installed here" in shown.output
    assert "juggler" not in listed.output

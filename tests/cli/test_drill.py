"""``holdfast drill``: outages played through in virtual time, their answers, reports and exit statuses."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

FIGURES = {
    *("accepted", "succeeded", "dead", "lost", "failed_calls", "abandoned_calls", "calls_per_done", "p50_s", "p99_s"),
    *("breaker_trips", "probes", "probes_concurrent_max", "drain_ratio", "limit_breaches", "equation_holds"),
}
SHORT = {
    "name": "short",
    "duration_s": 300,
    "phases": [{"t_s": 60, "mix": [{"fraction": 1, "mode": "e500"}]}, {"t_s": 120, "mix": []}],
    "pass": {"lost": 0, "dead_max": 0},
}


@pytest.fixture
def short(tmp_path: Path) -> Path:
    return written(tmp_path)


def written(folder: Path, **changes: object) -> Path:
    file = folder / "short.json"
    file.write_text(json.dumps(SHORT | changes))
    return file


def test_the_list_names_each_outage_and_says_what_it_was(cli):
    listed = {each["name"]: each for each in cli("drill", "list", "--json").json}
    assert listed["only_route"]["routes"] == 1
    assert "OpenAI, 11 December 2024" in listed["total_2024_12_11"]["about"]
    assert "total_2024_12_11" in cli("drill", "list").out


def test_one_seed_answers_with_its_figures_at_the_top(cli, short):
    ended = cli("drill", "run", short, "--virtual", "--json")
    assert ended.status == 0
    assert ended.json.keys() >= FIGURES
    assert ended.json["passed"] is True
    assert ended.json["worst"] == {name: ended.json[name] for name in FIGURES}
    assert ended.json["accepted"] == ended.json["succeeded"] > 1_000
    assert ended.json["costs"]["peak_backlog"] >= 0


def test_several_seeds_answer_with_the_worst_and_with_each(cli, short):
    answer = cli("drill", "run", short, "--virtual", "--json", "--seeds", "3", "--seed", "5").json
    assert [seed["seed"] for seed in answer["seeds"]] == [5, 6, 7]
    assert all(seed.keys() >= FIGURES for seed in answer["seeds"])
    assert answer["worst"]["p99_s"] == max(seed["p99_s"] for seed in answer["seeds"])
    assert "accepted" not in answer


def test_a_broken_bar_ends_with_status_1_and_the_command_that_plays_it_again(cli, tmp_path):
    strict = written(tmp_path, **{"pass": {"failed_calls_max": 1}})
    ended = cli("drill", "run", strict, "--virtual", "--seeds", "2")
    assert ended.status == 1
    assert "2 of 2 seeds broke a bar or a promise: 1, 2." in ended.err
    assert "failed_calls_max" in ended.err
    assert f"holdfast drill run {strict} --virtual --seed 1" in ended.err
    assert "BROKEN" in ended.out


def test_the_report_is_a_page_a_picture_and_the_answer(cli, short, tmp_path):
    ended = cli("drill", "run", short, "--virtual", "--seeds", "2", "-o", tmp_path / "paper", "--json")
    assert {path.name for path in (tmp_path / "paper").iterdir()} == {"index.html", "picture.svg", "drill.json"}
    assert json.loads((tmp_path / "paper" / "drill.json").read_text()) == ended.json
    assert ET.parse(tmp_path / "paper" / "picture.svg").getroot().tag.endswith("svg")
    assert "<svg" in (tmp_path / "paper" / "index.html").read_text()
    assert str(tmp_path / "paper" / "index.html") in ended.err


def test_the_report_goes_to_drill_where_nothing_is_said(cli, short, tmp_path):
    cli("drill", "run", short, "--virtual")
    assert (tmp_path / "drill" / "index.html").is_file()


def test_a_report_that_cannot_be_written_is_told(cli, short, tmp_path):
    (tmp_path / "taken").write_text("")
    ended = cli("drill", "run", short, "--virtual", "--json", "-o", tmp_path / "taken")
    assert ended.status == 2
    assert "the report cannot be written there" in ended.err
    assert ended.json["passed"] is True  # the answer was there before


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"phases": []}, "phases: expected a list that is not empty"), ({"pass": {"x": 1}}, "bars.x: is no bar")],
)
def test_a_wrong_scenario_ends_with_status_2_and_its_place(cli, tmp_path, changes, said):
    ended = cli("drill", "run", written(tmp_path, **changes), "--virtual")
    assert ended.status == 2
    assert said in ended.err
    assert "Traceback" not in ended.err


def test_an_unknown_scenario_ends_with_status_4(cli):
    ended = cli("drill", "run", "nowhere", "--virtual", "--json")
    assert ended.status == 4
    assert json.loads(ended.err)["code"] == "not_found"


CONFIG = """
[providers.one]
api = "anthropic"
credentials = [{ name = "main", secret = "env:A" }]
[providers.two]
api = "openai-chat"
credentials = [{ name = "main", secret = "env:B" }]
[models.smart]
routes = [
  { provider = "one", model = "m", price = { input = 1.0, output = 5.0 } },
  { provider = "two", model = "n", price = { input = 2.0, output = 10.0 } },
]
[models.lonely]
routes = [{ provider = "one", model = "other" }]
"""


@pytest.fixture
def yours(tmp_path: Path) -> Path:
    (tmp_path / "yours.toml").write_text(CONFIG)
    return tmp_path / "yours.toml"


def test_your_configuration_is_drilled_with_its_own_plan_and_prices(cli, short, yours):
    answer = cli("drill", "run", short, "--virtual", "--json", "--config", yours).json
    assert set(answer["routes"]) == {"one/m", "two/n"}
    assert answer["yours"]["model"] == "smart"
    assert answer["yours"]["plan"] == ["one/m", "two/n"]
    assert answer["costs"]["extra_usd"] == pytest.approx(answer["routes"]["two/n"] * 0.0028, abs=1e-3)
    assert "more than the first route alone, USD" in cli("drill", "run", short, "--virtual", "--config", yours).out


def test_a_deadline_may_be_given_and_jobs_that_miss_it_are_counted(cli, short, yours):
    answer = cli(
        *("drill", "run", short, "--virtual", "--json", "--config", yours, "--model", "lonely", "--expires-in", "20s")
    ).json
    assert answer["costs"]["deadline_misses"] > 100
    assert answer["lost"] == 0


def test_a_deadline_that_is_none_is_told(cli, short):
    ended = cli("drill", "run", short, "--virtual", "--expires-in", "soon")
    assert ended.status == 2
    assert "--expires-in: expected a duration" in ended.err


def test_without_config_a_configuration_that_lies_around_changes_nothing(cli, short, yours, tmp_path):
    (tmp_path / "holdfast.toml").write_text(CONFIG)
    assert set(cli("drill", "run", short, "--virtual", "--json").json["routes"]) == {"first/model", "second/model"}


def test_an_alias_that_is_none_is_told(cli, short, yours):
    assert "no model 'smrt'" in cli("drill", "run", short, "--virtual", "--config", yours, "--model", "smrt").err
    ended = cli("drill", "run", short, "--config", yours, "--model", "smrt")
    assert ended.status == 2
    assert "smrt is no alias of the configuration" in ended.err


def test_a_configuration_without_an_alias_has_no_plan_to_drill(cli, short, tmp_path):
    (tmp_path / "empty.toml").write_text("")
    ended = cli("drill", "run", short, "--config", tmp_path / "empty.toml")
    assert ended.status == 2
    assert "has no model alias, so there is no plan to drill" in ended.err

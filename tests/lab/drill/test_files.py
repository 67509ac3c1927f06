"""Scenario files: published ones are read as they are, wrong ones get one error that names the place."""

import json

import pytest

from holdfast.lab.drill.catalogue import LARGEST, find, names, read
from holdfast.model.errors import InvalidRequest, NotFound

PUBLISHED = {
    "name": "published",
    "source": "somewhere",
    "duration_s": 900,
    "single_route": False,
    "phases": [
        {"t_s": 0, "mix": [{"fraction": 1.0, "mode": "ok", "latency_s": [1.0, 4.0]}]},
        {
            "t_s": 60,
            "mix": [{"fraction": 0.45, "mode": "ok", "latency_s": [31, 36]}, {"fraction": 0.55, "mode": "e529"}],
        },
        {"t_s": 600, "mix": [{"fraction": 1.0, "mode": "ok", "latency_s": [1.0, 4.0]}]},
    ],
    "pass": {"lost": 0, "p99_s_max": 10, "credential_marked_dead": False},
    "reference_5_seeds": {"failed_calls": [1, 2], "p99_s": 4.0, "remark": "fast"},
    "naive": {"dead": 12},
    "weather": "rain",
}


def written(**changes) -> str:
    return json.dumps({name: value for name, value in (PUBLISHED | changes).items() if value is not None})


def test_a_published_scenario_is_read_whatever_else_stands_in_it():
    scenario = read(written(), "here")
    assert (scenario.name, scenario.about, scenario.seconds) == ("published", "somewhere", 900)
    assert [phase.is_well for phase in scenario.phases] == [True, False, True]
    assert scenario.bars == {"lost": 0, "p99_s_max": 10, "credential_marked_dead": False}
    assert scenario.reference == {"failed_calls": (1, 2), "p99_s": (4, 4)}


def test_phases_alone_are_a_scenario():
    scenario = read(
        '{"phases": [{"t_s": 100, "mix": [{"fraction": 1, "mode": "e500"}]}, {"t_s": 500}]}', "x", named="a b"
    )
    assert (scenario.name, scenario.seconds) == ("a-b", 900)


def test_what_is_not_said_of_a_mode_is_what_it_means():
    (phase,) = read('{"phases": [{"t_s": 0, "mix": [{"fraction": 0.5, "mode": "slow"}]}]}', "here").phases
    assert phase.mix[0].spread((1.0, 4.0)) == (30.0, 60.0)
    assert not phase.is_well


def mixed(**part) -> str:
    return written(phases=[{"t_s": 0, "mix": [{"fraction": 0.5, "mode": "e500"} | part]}])


WRONG = {
    "share over one": (mixed(fraction=1.5), "phases.0.mix.0.fraction", "at most 1, got 1.5"),
    "shares that add up to more": (
        written(phases=[{"t_s": 0, "mix": [{"fraction": 0.6, "mode": "e500"}] * 2}]), "phases.0", "add up to 1.2",
    ),
    "unknown mode": (mixed(mode="e99"), "phases.0.mix.0.mode", "got 'e99'"),
    "unknown field": (mixed(latency=3), "phases.0.mix.0.latency", "means nothing here"),
    "latency the wrong way round": (mixed(latency_s=[4, 1]), "phases.0.mix.0.latency_s", "the shorter time first"),
    "negative latency": (mixed(latency_s=[-1, 1]), "phases.0.mix.0.latency_s.0", "at least 0"),
    "no phases": (written(phases=[]), "phases", "a list that is not empty"),
    "phases left out": (written(phases=None), "phases", "expected a value, got nothing"),
    "phases that are none": (written(phases=5), "phases", "got 5"),
    "phases out of order": (written(phases=[{"t_s": 9}, {"t_s": 3}]), "", "phases.1 begins at 3 s"),
    "unknown bar": (written(**{"pass": {"beauty_min": 1}}), "bars.beauty_min", "is no bar"),
    "a bar that is no number": (written(**{"pass": {"lost": "none"}}), "pass.lost", "got 'none'"),
    "no time at all": (written(duration_s=0), "duration_s", "above 0"),
    "a year": (written(duration_s=31_536_000), "duration_s", "at most 2678400"),
    "infinity": (written(duration_s=float("inf")), "duration_s", "a finite number"),
    "too many jobs": (written(duration_s=2e6, load={"jobs_per_second": 1e4}), "", "more than 2,000,000 jobs"),
    "a number without end": ('{"phases": [{"t_s": ' + "9" * 5_000 + "}]}", "", "cannot be read"),
    "nested without end": ('{"a":' * 100_000, "", "is nested too deeply"),
    "half of it": (written()[:40], "", "is neither JSON nor TOML"),
    "a list": ("[1, 2]", "", "is neither JSON nor TOML"),
    "a name with a newline": (written(name="two\nlines"), "name", "got"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_a_wrong_scenario_gets_one_error_with_its_place(case: str):
    text, place, said = WRONG[case]
    with pytest.raises(InvalidRequest) as caught:
        read(text, "file.json")
    assert caught.value.where == (f"file.json: {place}" if place else "file.json")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_neither_a_name_nor_a_file_is_told_with_the_names_there_are(tmp_path):
    with pytest.raises(NotFound, match=r"neither a scenario nor a file.*only_route"):
        find("nowhere")
    with pytest.raises(NotFound):
        find(str(tmp_path))


@pytest.mark.parametrize("name", ["a\0b", "x" * 5_000])
def test_a_name_that_no_file_can_have_is_told_too(name: str):
    with pytest.raises((NotFound, InvalidRequest)):
        find(name)


def test_a_file_that_is_no_text_or_too_long_is_told(tmp_path):
    (tmp_path / "binary").write_bytes(b"\x7fELF\xff\xfe")
    (tmp_path / "long").write_bytes(b" " * (LARGEST + 1))
    with pytest.raises(InvalidRequest, match="byte 4 is not UTF-8"):
        find(str(tmp_path / "binary"))
    with pytest.raises(InvalidRequest, match=f"has more than {LARGEST} bytes"):
        find(str(tmp_path / "long"))


def test_a_file_is_named_by_itself_where_it_says_no_name(tmp_path):
    (tmp_path / "mine.toml").write_text('phases = [{ at = 60, mix = [{ share = 1, mode = "e500", takes = 0.2 }] }]')
    assert find(str(tmp_path / "mine.toml")).name == "mine"
    assert "mine" not in names()

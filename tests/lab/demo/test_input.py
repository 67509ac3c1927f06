"""The demo asks about Python's own documentation: real text that every machine has."""

from holdfast.lab.demo.input import lines


def test_as_many_lines_as_wanted_each_with_its_own_id() -> None:
    made = lines(300)
    assert len({line["custom_id"] for line in made}) == len(made) == 300


def test_a_quarter_has_no_detour_and_a_fifth_wants_json() -> None:
    made = lines(100)
    assert sum(line["model"] == "careful" for line in made) == 25
    assert sum("response_format" in line for line in made) == 20


def test_the_same_machine_asks_the_same_questions_again() -> None:
    assert lines(50) == lines(50)

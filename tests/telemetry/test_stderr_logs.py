"""A log tells of a mistake of ours what broke and where, and never what it held."""

import pytest

from holdfast.model.exception_fault import exception_fault, what_broke
from holdfast.telemetry.stderr_logs import without_words
from holdfast.wire.validate import check

SECRET = "the words of a prompt"


def broken() -> Exception:
    try:
        check(SECRET, SECRET)
    except AttributeError as error:
        try:
            raise ValueError(SECRET) from error  # noqa: TRY301  what is caught is what is wanted
        except ValueError as outer:
            return outer
    raise AssertionError


def test_a_trace_names_each_exception_and_the_lines_that_it_passed():
    error = broken()
    line = without_words(None, "error", {"event": "attempt_broke", "exc_info": error})
    told = line["exception"]
    assert (line["event"], told[0]) == ("attempt_broke", "ValueError")
    assert "AttributeError" in told
    assert any("check (" in each for each in told)
    assert SECRET not in repr(line)


def test_the_exception_of_the_moment_is_meant_where_none_is_given():
    with pytest.raises(ValueError) as caught:
        raise ValueError(SECRET)
    assert "exception" not in without_words(None, "info", {"event": "x"})
    try:
        raise caught.value
    except ValueError:
        assert without_words(None, "error", {"exc_info": True})["exception"][0] == "ValueError"


def test_a_fault_names_the_innermost_line_of_ours():
    cause = broken().__cause__
    fault = exception_fault(cause, sent=True)
    assert what_broke(cause).startswith("AttributeError in holdfast.wire.validate.")
    assert (fault.ambiguous, what_broke(cause) in fault.message) == (True, True)
    assert SECRET not in fault.message

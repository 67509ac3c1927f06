"""The examples in the docstrings run."""

import doctest
import importlib

import pytest

MODULES = (
    "arguments",
    "chat.server_profile",
    "fields",
    "finishes",
    "json_answer",
    "redact",
    "retry_after",
    "usages",
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name):
    ran = doctest.testmod(importlib.import_module(f"holdfast.wire.{name}"))
    assert ran.attempted > 0
    assert ran.failed == 0

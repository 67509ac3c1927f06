"""The examples in the docstrings run."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize("name", ["chat.server_profile", "fields", "retry_after", "redact"])
def test_examples_hold(name):
    ran = doctest.testmod(importlib.import_module(f"holdfast.wire.{name}"))
    assert ran.attempted > 0
    assert ran.failed == 0

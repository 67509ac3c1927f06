"""The examples in docstrings run."""

import doctest
import importlib
import pkgutil

import pytest

import holdfast.config
import holdfast.model
import holdfast.policy

MODULES = [
    f"{package.__name__}.{module.name}"
    for package in (holdfast.policy, holdfast.config, holdfast.model)
    for module in pkgutil.iter_modules(package.__path__)
]


@pytest.mark.parametrize("name", MODULES)
def test_its_examples_are_true(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0

"""Packages of SDKs are imported name by name, and have every name that they had."""

import json
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from holdfast.providers.lazy_packages import LazyPackages

SDK = {
    "__init__.py": "from . import types\nfrom .client import Client as Client\nfrom .old import *\nVERSION = len('ab')",
    "client.py": "from . import errors\nfrom .types import Message\nclass Client: takes = Message",
    "errors.py": "class Refused(Exception): pass",
    "old.py": "from .types.beta import *\nOLD = 1",
    "unused.py": "raise AssertionError",
    "types/__init__.py": "from .message import (\n    Message as Message,\n)\nfrom .batch import Batch as Renamed",
    "types/message.py": "class Message: pass",
    "types/batch.py": "class Batch: pass",
    "types/beta/__init__.py": "from .block import Block as Block",
    "types/beta/block.py": "class Block: pass",
    "_error_classes.py": "class Refused(Exception): pass\nKINDS = [Refused]\ndef make_error(why): return Refused(why)",
    "lib/__init__.py": "",
    "lib/_tracing/__init__.py": "from ._spans import Spans, finish_span as finish_span\nfrom ._config import Config",
    "lib/_tracing/_spans.py": "class Spans: pass\ndef finish_span(*, at): return at, Spans",
    "lib/_tracing/_config.py": "class Config: pass",
}
USED = """
import json, sys
from holdfast.providers.lazy_packages import make_lazy
make_lazy()
from anthropic import AsyncAnthropic, Omit
from openai import AsyncOpenAI, Omit
used = set(sys.modules)
import anthropic, openai
kept = AsyncAnthropic is anthropic.AsyncAnthropic and anthropic.AsyncAnthropicBedrock and openai.AsyncAzureOpenAI
kept = kept and anthropic.types.Message.__module__ == "anthropic.types.message" and anthropic.__version__
print(json.dumps([sorted(used), sorted(set(anthropic.__all__) - set(dir(anthropic))), bool(kept)]))
"""


@pytest.fixture
def sdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[str]:
    name = f"sdk_of_{request.node.name}"
    for path, code in SDK.items():
        (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name / path).write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", [LazyPackages([name]), *sys.meta_path])
    yield name
    for module in loaded(name):
        del sys.modules[f"{name}.{module}" if module else name]


def loaded(sdk: str) -> set[str]:
    return {name.removeprefix(sdk).removeprefix(".") for name in sys.modules if f"{name}.".startswith(f"{sdk}.")}


def test_a_name_imports_what_it_needs_and_nothing_else(sdk: str) -> None:
    client = import_module(sdk).Client
    assert client.takes is import_module(f"{sdk}.types").Message
    assert loaded(sdk) == {"", "client", "errors", "types", "types.message"}


def test_a_name_goes_by_the_name_that_its_package_gives_it(sdk: str) -> None:
    types = import_module(f"{sdk}.types")
    assert types.Renamed is import_module(f"{sdk}.types.batch").Batch
    assert not hasattr(types, "Batch")


def test_what_is_no_re_export_runs_the_code_of_the_package(sdk: str) -> None:
    package = import_module(sdk)
    before = package.Client
    assert (package.VERSION, package.OLD, package.Client is before) == (2, 1, True)
    assert package.Block is import_module(f"{sdk}.types.beta.block").Block
    assert "unused" not in loaded(sdk)


def test_a_name_that_nothing_has_is_an_error_and_a_module_that_nobody_imported_is_none_of_its_names(sdk: str) -> None:
    package = import_module(sdk)
    assert not hasattr(package, "unused")
    with pytest.raises(AttributeError, match="nothing"):
        _ = package.nothing
    with pytest.raises(AttributeError, match="nothing"):
        _ = package.types.nothing


def test_a_function_that_no_usual_call_needs_is_imported_when_it_is_called(sdk: str) -> None:
    tracing, errors = import_module(f"{sdk}.lib._tracing"), import_module(f"{sdk}._error_classes")
    finish, make, config = tracing.finish_span, errors.make_error, tracing.Config
    assert loaded(sdk) & {"lib._tracing._spans", "lib._tracing._config"} == {"lib._tracing._config"}
    assert "KINDS" not in vars(errors)
    assert finish(at=3) == (3, tracing.Spans)
    assert (type(make("why")), str(make("why"))) == (errors.KINDS[0], "why")
    assert (errors.make_error("x").args, config) == (("x",), tracing.Config)
    assert import_module(f"{sdk}.lib._tracing._spans").Spans is tracing.Spans


def test_the_clients_of_the_sdks_come_without_their_types_and_have_all_names() -> None:
    done = subprocess.run([sys.executable, "-c", USED], capture_output=True, text=True, check=True)
    used, missing, kept = json.loads(done.stdout)
    assert (missing, kept) == ([], True)
    assert not {"anthropic.resources", "openai.resources", "anthropic.lib.bedrock"} & set(used)
    assert sum(name.startswith(("anthropic.types", "openai.types")) for name in used) < 100

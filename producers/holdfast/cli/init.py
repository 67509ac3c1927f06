"""``holdfast init``: a configuration to begin with, from the keys and servers that are found."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from holdfast.cli.show import say, show

if TYPE_CHECKING:
    from holdfast.cli.model_lists import ModelList
    from holdfast.config.presets import Preset

FILE, SCHEMA = Path("holdfast.toml"), Path(".holdfast") / "holdfast.schema.json"
USUAL = ("anthropic", "openai")  # what the example names where nothing is found
SHOWN = 12  # models of a provider that the file names
HEAD = f"""\
#:schema ./{SCHEMA.as_posix()}
# What Holdfast calls, and in which order. `holdfast config check` reads this file and tells every mistake at once;
# every setting with its default: docs/configuration.md, or `holdfast config show`.
"""
LATER = """
# No key was found in the environment: set ANTHROPIC_API_KEY or OPENAI_API_KEY, and take the marks away below.
# Without a key, `holdfast up --sim` runs everything on simulated providers.
"""


def init(
    *,
    offline: Annotated[
        bool, Option("--offline", help="Ask no provider for its models, and look for no server.")
    ] = False,
) -> None:
    """Write a commented holdfast.toml from the keys that the environment has. A file that is there stays as it is.

    Each provider whose key is found, and each usual port of this machine, is asked once for its list of models.
    """
    from holdfast.config.presets import PRESETS
    from holdfast.model.environment import read_variable
    from holdfast.model.errors import Conflict

    if FILE.exists():
        raise Conflict(str(FILE), "it is there already, and stays as it is. `holdfast config check` reads it.")
    with_key = {name: each for name, each in PRESETS.items() if each.key and read_variable(each.key, os.environ)}
    servers = {name: each for name, each in PRESETS.items() if each.key is None}
    lists = {} if offline else look({**with_key, **servers})
    found = with_key | {name: each for name, each in servers.items() if name in lists and lists[name].models}
    write_schema()
    FILE.write_text(begin(found, lists), encoding="utf-8")
    for name in with_key:
        if name in lists and lists[name].why:
            say(f"{name} told no models: {lists[name].why}")
    keys = [each.key for each in with_key.values()]
    show({"file": str(FILE), "keys": keys, "providers": [*found]}, lambda _: f"wrote {FILE}")
    say("next: holdfast ask 'What is a holdfast?'" if found else "next: holdfast up --sim --detach")


def look(presets: "Mapping[str, Preset]") -> "dict[str, ModelList]":
    """Ask providers and servers for their models."""
    from holdfast.cli.model_lists import ask_all

    return ask_all(presets, os.environ)


def write_schema() -> None:
    """Write the JSON Schema that the file names, for editors."""
    import json

    from holdfast.config.editor_schema import editor_schema

    SCHEMA.parent.mkdir(exist_ok=True)
    SCHEMA.write_text(json.dumps(editor_schema(), ensure_ascii=False), encoding="utf-8")


def begin(found: "Mapping[str, Preset]", lists: "Mapping[str, ModelList]") -> str:
    """Write the configuration for the providers that were found; commented out where none was.

    >>> begin({}, {}).splitlines()[-1]
    '# ]'
    """
    from holdfast.cli.model_lists import ModelList
    from holdfast.config.presets import PRESETS

    chosen = found or {name: PRESETS[name] for name in USUAL}
    told = {name: lists.get(name, ModelList()) for name in chosen}
    tables = "".join(provider_table(name, told[name]) for name in chosen)
    routes = "".join(route_line(name, told[name].choose(each.model)) for name, each in chosen.items())
    plan = f"\n[models.smart]  # what jobs ask for; the first route that takes calls is taken\nroutes = [\n{routes}]\n"
    if not any(told[name].choose(each.model) for name, each in chosen.items()):
        plan = commented(plan)  # a plan without a route is none
    return HEAD + tables + plan if found else HEAD + LATER + commented(tables + plan)


def provider_table(name: str, told: "ModelList") -> str:
    """Write one provider's table, with some of the models that it has."""
    key = f'"{name}"' if "." in name else name
    more = len(told.models) - SHOWN
    listed = ", ".join(told.models[:SHOWN]) + (f" and {more} more" if more > 0 else "")
    return f'\n[providers.{key}]\napi = "{name}"\n' + (f"# it has: {listed}\n" if told.models else "")


def route_line(name: str, model: str | None) -> str:
    """Write one route; a comment where no model is known."""
    if model is None:
        return f'  # {{ provider = "{name}", model = "…" }},  # name one of its models\n'
    return f'  {{ provider = "{name}", model = "{model}" }},\n'


def commented(text: str) -> str:
    """Put a mark before every line."""
    return "\n" + "".join(f"# {line}".rstrip() + "\n" for line in text.strip().splitlines())

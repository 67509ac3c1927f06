"""``holdfast init``: a configuration to begin with, from the keys that the environment has."""

import os
from pathlib import Path

from holdfast.cli.show import say, show

FILE = Path("holdfast.toml")
PROVIDERS = {  # variable: provider, api, model
    "ANTHROPIC_API_KEY": ("anthropic", "anthropic", "claude-opus-4-8"),
    "OPENAI_API_KEY": ("openai", "openai-chat", "gpt-5.4"),
}
HEAD = """\
# What Holdfast calls, and in which order. `holdfast config check` reads this file and tells every mistake at once;
# every setting with its default: docs/configuration.md, or `holdfast config show`.
"""
LATER = """
# No key was found in the environment: set ANTHROPIC_API_KEY or OPENAI_API_KEY, and take the marks away below.
# Without a key, `holdfast up --sim` runs everything on simulated providers.
"""


def init() -> None:
    """Write a commented holdfast.toml from the keys that the environment has. A file that is there stays as it is."""
    from holdfast.model.errors import Conflict

    if FILE.exists():
        raise Conflict(str(FILE), "it is there already, and stays as it is. `holdfast config check` reads it.")
    found = [variable for variable in PROVIDERS if os.environ.get(variable)]
    text = begin(found)
    FILE.write_text(text, encoding="utf-8")
    show({"file": str(FILE), "keys": found}, lambda _: f"wrote {FILE}")
    say("next: holdfast ask 'What is a holdfast?'" if found else "next: holdfast up --sim --detach")


def begin(found: list[str]) -> str:
    """Write the configuration for the variables that were found; commented out where none was.

    >>> begin([]).splitlines()[-1]
    '# ]'
    """
    chosen = [PROVIDERS[variable] for variable in found or PROVIDERS]
    tables = "".join(f'\n[providers.{name}]\napi = "{api}"\n' for name, api, _ in chosen)
    routes = "".join(f'  {{ provider = "{name}", model = "{model}" }},\n' for name, _, model in chosen)
    plan = f"\n[models.smart]  # what jobs ask for; the first route that takes calls is taken\nroutes = [\n{routes}]\n"
    if found:
        return HEAD + tables + plan
    return HEAD + LATER + "\n" + "".join(f"# {line}".rstrip() + "\n" for line in (tables + plan).strip().splitlines())

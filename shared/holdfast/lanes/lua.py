"""Load the Lua scripts. A script that says ``-- needs: NAME …`` gets those files put in front of it."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import redis

from holdfast.lanes.keys import Keys

_NEEDS = "-- needs:"


@cache
def source(name: str) -> str:
    """Return the whole text of ``scripts/NAME.lua``, with the pieces it needs in front."""
    text = files("holdfast.lanes").joinpath("scripts", f"{name}.lua").read_text(encoding="utf-8")
    wanted = [line.removeprefix(_NEEDS).split() for line in text.splitlines() if line.startswith(_NEEDS)]
    return "\n".join([*(source(piece) for line in wanted for piece in line), text])


@cache
def own_source(name: str, keys: Keys) -> str:
    """The same for one namespace alone: a server that knows this text has met this namespace since it started."""
    return f"{source(name)}\n-- of {keys.root}\n"


@cache
def own_sha(name: str, keys: Keys) -> str:
    """The name under which a server knows ``own_source``."""
    return hashlib.sha1(own_source(name, keys).encode(), usedforsecurity=False).hexdigest()


@cache
def sha(name: str) -> str:
    """The name under which a server knows ``source``."""
    return hashlib.sha1(source(name).encode(), usedforsecurity=False).hexdigest()


def run_script(client: redis.Redis, name: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
    """Run ``scripts/NAME.lua``; a server that does not know it is given its text."""
    try:
        return client.evalsha(sha(name), len(keys), *keys, *arguments)
    except redis.exceptions.NoScriptError:
        return client.eval(source(name), len(keys), *keys, *arguments)


def flat(fields: Mapping[str, str]) -> list[str]:
    """Lay fields out as the scripts take them: field, value, field, value …"""
    return [text for pair in fields.items() for text in pair]


def unflat(texts: Sequence[Any]) -> dict[str, Any]:
    """Read what a script lays out like that."""
    return dict(zip(texts[::2], texts[1::2], strict=True))

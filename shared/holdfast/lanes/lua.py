"""Load the Lua scripts. A script that says ``-- needs: NAME …`` gets those files put in front of it."""

from functools import cache
from importlib.resources import files

_NEEDS = "-- needs:"


@cache
def source(name: str) -> str:
    """Return the whole text of ``scripts/NAME.lua``, with the pieces it needs in front."""
    text = files("holdfast.lanes").joinpath("scripts", f"{name}.lua").read_text(encoding="utf-8")
    wanted = [line.removeprefix(_NEEDS).split() for line in text.splitlines() if line.startswith(_NEEDS)]
    return "\n".join([*(source(piece) for line in wanted for piece in line), text])

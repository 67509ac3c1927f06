"""Outages in a line: ``scenario([(60, [(1.0, "e500")]), (120, [])], seconds=300)``."""

from holdfast.sim.drill.scenario import Scenario


def mix(parts):
    """Parts of a mix: share, mode and, where it matters, the seconds that a call takes."""
    return [{"share": share, "mode": mode, **({"takes": takes[0]} if takes else {})} for share, mode, *takes in parts]


def phases(script):
    return [{"at": at, "mix": mix(parts)} for at, parts in script]


def scenario(script, *, seconds, name="tried", single=False, second=(), upsets=(), bars=None, **load):
    return Scenario.model_validate(
        {
            "name": name,
            "seconds": seconds,
            "single_route": single,
            "phases": phases(script),
            "second": phases(second),
            "load": load,
            "upsets": list(upsets),
            "bars": bars or {},
        }
    )

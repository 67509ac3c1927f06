"""Outages in a line: ``scenario([(60, [(1.0, "e500")]), (120, [])], seconds=300)``."""

from holdfast.lab.drill.scenario import Scenario

EVERYTHING = [
    {"at": 50, "what": "kill", "worker": 0},
    {"at": 51, "what": "kill", "worker": 0},  # its place is empty still
    {"at": 100, "what": "kill_before_record", "worker": 1},
    {"at": 150, "what": "kill_after_record", "worker": 0},
    {"at": 200, "what": "pause", "worker": 1, "seconds": 40},
    {"at": 260, "what": "pause", "worker": 0, "seconds": 5},
    {"at": 300, "what": "lose_redis"},
    {"at": 320, "what": "skew", "worker": 0, "seconds": -3_600},
    {"at": 420, "what": "lose_redis"},
]


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

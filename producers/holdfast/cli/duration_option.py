"""Options that are spans of time, written as everywhere: 90s, 10m, 1.5h, 7d, or a number of seconds."""

from typing import Annotated

from typer import BadParameter, Option

from holdfast.model.durations import EXPECTED, parse_duration


def read_duration(text: str) -> float:
    """Return the seconds of a duration. Raises BadParameter."""
    seconds = parse_duration(text)
    if seconds is None:
        raise BadParameter(f"expected {EXPECTED}, got {text[:60]!r}")
    return seconds


def read_lasting(text: str) -> float:
    """Return the seconds of a duration above zero. Raises BadParameter."""
    seconds = read_duration(text)
    if not seconds:
        raise BadParameter(f"expected a duration above zero, got {text[:60]!r}")
    return seconds


Timeout = Annotated[
    float | None,
    Option(parser=read_duration, help="Give up waiting after so long; the job goes on.", metavar="DURATION"),
]
ExpiresIn = Annotated[
    float | None,
    Option(parser=read_lasting, help="Give up lines that still wait after so long, such as 2h.", metavar="DURATION"),
]

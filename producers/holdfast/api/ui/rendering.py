"""Templates and the words that they use. Everything is escaped unless it is SVG that this package drew itself."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from holdfast.model.durations import lasting
from holdfast.model.iso_time import iso
from holdfast.model.webhook import ALERT_COMMAND
from holdfast.policy.breaker_words import breaker_words
from holdfast.policy.diagnosis_words import diagnosis_words
from holdfast.policy.fault_rules import kind_words

HERE = Path(__file__).parent
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
# With no-referrer, browsers say "Origin: null" of a form of our own.
HEADERS = {"content-security-policy": POLICY, "referrer-policy": "same-origin"}
CENT = 0.01
COMMAND = re.compile("`([^`]+)`")
LONGEST_TOLD = 200  # characters of what an act was about


@cache
def environment() -> Environment:
    found = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        auto_reload=False,  # a page goes with the code that it was made for, also while a newer one is being installed
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters.update(FILTERS)
    return found


def compile_templates() -> None:
    """Compile all templates, in any thread: those of the fleet's page take a twentieth of a second."""
    for name in environment().list_templates():
        environment().get_template(name)


def render(template: str, values: Mapping[str, object]) -> str:
    """Return a template filled in."""
    return environment().get_template(template).render(values)


def html(template: str, values: Mapping[str, object], status: int = 200) -> HTMLResponse:
    """Answer with a page under the strictest policy that lets it work."""
    return HTMLResponse(render(template, values), status, HEADERS)


def clock(seconds: float | None) -> str:
    """Write a time of day; with its date where that is not today's.

    >>> clock(None)
    'unknown'
    """
    if seconds is None:
        return "unknown"
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at:%H:%M:%S} UTC" if at.date() == datetime.now(UTC).date() else f"{at:%Y-%m-%d %H:%M} UTC"


def moment(text: str | None) -> str:
    """Shorten a time as views write it.

    >>> moment("2026-11-30T12:00:01.250Z"), moment(None)
    ('2026-11-30 12:00:01 UTC', 'unknown')
    """
    return f"{text[:10]} {text[11:19]} UTC" if text else "unknown"


def duration(seconds: float | None) -> str:
    """Say how long, "0 s" for nothing at all, and says what nobody knows.

    >>> duration(None), duration(0.0), duration(0.3), duration(90.0)
    ('unknown', '0 s', '1 s', '1 min 30 s')
    """
    return "unknown" if seconds is None else lasting(seconds) if seconds > 0 else "0 s"


def money(dollars: float | None) -> str:
    """Write an amount, with more digits where it is small; a price that nobody knows is not 0.

    >>> money(None), money(0.0), money(0.00123), money(1234.5)
    ('unknown', '$0.00', '$0.0012', '$1,234.50')
    """
    if dollars is None:
        return "unknown"
    return f"${dollars:.4f}" if 0 < dollars < CENT else f"${dollars:,.2f}"


def count(value: int) -> str:
    return f"{value:,}"


def rate(value: float) -> str:
    """Write a rate.

    >>> rate(0.0), rate(0.04), rate(12.34), rate(1234.5)
    ('0', '0.04', '12.3', '1,234')
    """
    return f"{value:,.0f}" if value == 0 or abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 1 else f"{value:.2g}"  # noqa: PLR2004 - three digits


def percent(value: float) -> str:
    return f"{value:.0%}"


def words(text: str) -> str:
    """Write a name of the code for people: ``server_error`` is "server error"."""
    return text.replace("_", " ")


def commands(sentence: str) -> Markup:
    """Write a sentence whose commands stand between backticks, as errors of the command line have them.

    >>> commands("run `holdfast up`, not <b>")
    Markup('run <code>holdfast up</code>, not &lt;b&gt;')
    """
    return Markup(COMMAND.sub(r"<code>\1</code>", str(escape(sentence))))  # noqa: S704 - it was escaped before


def receiver(url: str) -> str:
    """Name who is told of events.

    >>> receiver("https://example.com/hook"), receiver("command:")
    ('https://example.com/hook', 'the command of [alerts]')
    """
    return "the command of [alerts]" if url == ALERT_COMMAND else url


def brief(what: object) -> str:
    """Write JSON on a line for people: names and values, and not too many.

    >>> brief({"kind": "lane", "name": "smart.batch", "value": None}), brief({"fault": "auth", "jobs": [1, 2]})
    ('lane smart.batch', 'fault auth, jobs 1 2')
    """
    if isinstance(what, Mapping) and what.keys() >= {"kind", "name", "value"}:
        return " ".join(str(what[key]) for key in ("kind", "name", "value") if what[key] is not None)
    return _listed(what)[:LONGEST_TOLD]


def _listed(what: object) -> str:
    if isinstance(what, Mapping):
        return ", ".join(f"{key} {_listed(value)}" for key, value in what.items())
    return " ".join(map(_listed, what)) if isinstance(what, list) else str(what)


def given(values: Mapping[str, object]) -> dict[str, object]:
    """Leave out what is empty, so that a link says no more than it needs to."""
    return {name: value for name, value in values.items() if value}


def at(key: str, table: Mapping[str, int]) -> int:
    return table[key]


FILTERS: Mapping[str, Callable[..., Any]] = {
    "clock": clock, "moment": moment, "duration": duration, "money": money, "count": count, "rate": rate, "iso": iso,
    "percent": percent, "words": words, "breaker": breaker_words, "brief": brief, "given": given, "at": at,
    "diagnosis": diagnosis_words, "commands": commands, "receiver": receiver, "fault": kind_words,
}  # fmt: skip

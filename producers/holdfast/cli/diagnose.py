"""``holdfast diagnose``: is it the network, the configuration, or the provider, and which part of it?"""

from typing import Annotated

from typer import Argument, Exit, Option

from holdfast.cli.context import backend
from holdfast.cli.show import show
from holdfast.cli.tables import Columns, Drawing, View, paint, view_table

STATUS = {  # of the verdict: what a script may do about it
    "healthy": 0,
    "web_only": 0,
    "rate_limited": 75,
    "budget": 75,
    "local_configuration": 78,
}
DOWN, UNCONFIGURED = 69, 78
WORDS = {True: ("ok", "green"), False: ("FAILS", "red"), None: ("-", None)}


def diagnose(
    *,
    provider: Annotated[str | None, Argument(help="The provider (default: all).", metavar="PROVIDER")] = None,
    calls: Annotated[bool, Option("--calls/--no-calls", help="Call each model, 16 tokens at most.")] = True,
) -> None:
    """Check network, keys, models and status page of a provider, and say where the trouble lies, within 15 s.

    Exit status 0: healthy, or only its web pages are down; 69: network or provider down; 75: rate or money; 78: a key
    or name of the configuration.
    """
    view = backend().diagnose(provider, with_calls=calls)
    show(view, draw_diagnosis)
    if status := STATUS.get(view["verdict"], DOWN) if view["providers"] else UNCONFIGURED:
        raise Exit(status)


CHECKS: Columns = {
    "check": "name",
    "": lambda check: paint(*WORDS[check["ok"]]),
    "what": "what",
}


def draw_diagnosis(view: View) -> Drawing:
    """Draw each provider's verdict above its checks."""
    from rich.console import Group
    from rich.text import Text

    from holdfast.policy.diagnosis_words import diagnosis_words

    parts: list[Drawing] = []
    for each in view["providers"]:
        color = "green" if STATUS.get(each["verdict"]) == 0 else "red"
        verdict = Text(f"{each['provider']}: {diagnosis_words(each['verdict'])}", style=f"bold {color}")
        head = verdict.append(f" ({each['verdict']})", style="default")
        found = each["sentence"].removeprefix(f"{each['provider']}: ")
        parts += [
            head,
            Text(f"  {found}"),
            Text(f"  {each['advice']}"),
            view_table(each["checks"], CHECKS, empty="no checks"),
        ]
        parts += [Text(line) for line in (*each["outages"], "")]
    return Group(*parts) if parts else "no providers are configured"

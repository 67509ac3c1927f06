"""``holdfast sim``: simulated providers to try things on."""

from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

from typer import Argument, Option

from holdfast.cli.command import Noun
from holdfast.cli.context import settings
from holdfast.cli.show import show
from holdfast.model.errors import InvalidRequest
from holdfast.model.loopback import is_loopback

if TYPE_CHECKING:
    from holdfast.config import Settings

group = Noun("Simulated providers: serve, break, heal.")
Which = Annotated[
    list[str] | None,
    Argument(help="Providers of the configuration, or URLs (default: every one on this machine).", metavar="PROVIDER"),
]


@group.command(remote=False)
def serve(
    *,
    port: Annotated[int, Option(min=0, max=65_534, help="Anthropic's; OpenAI's is the next.")] = 8801,
    rate: Annotated[float | None, Option(min=0.001, help="Requests a second that are let in.")] = None,
    burst: Annotated[float, Option(min=1, help="Requests at once.")] = 50,
    latency: Annotated[float, Option(min=0, help="Seconds that an answer takes.")] = 0.2,
    headers: Annotated[bool, Option(help="Say the limits in headers.")] = True,
) -> None:
    """Serve two simulated providers and print a holdfast.toml for them on stdout."""
    from holdfast.cli.all_in_one import LOOPBACK, check_free
    from holdfast.lab.providers import SimSettings
    from holdfast.lab.providers.serve import serve as serve_pair

    for each in (port, port + 1) if port else ():
        check_free(LOOPBACK, each)
    serve_pair(port, SimSettings(rate=rate, burst=burst, latency=(latency, latency), headers=headers))


@group.command("break", remote=False)
def break_(
    *,
    which: Which = None,
    mode: Annotated[
        str, Option(help="What it does instead: e503, e529, e401, e429, hang, reset, slow, html, …")
    ] = "e503",
    fraction: Annotated[float, Option(min=0, max=1, help="Share of the calls that fail.")] = 1.0,
    seconds: Annotated[float | None, Option(min=0, help="Heal after so long (default: until healed).")] = None,
) -> None:
    """Break simulated providers."""
    from pydantic import ValidationError

    from holdfast.lab.providers import InjectedFault, control

    try:
        fault = InjectedFault(mode=mode, fraction=fraction, seconds=seconds)
    except ValidationError as error:
        raise InvalidRequest("--mode", f"{error.errors()[0]['ctx']['error']}.") from None
    meant = urls(which)
    for url in meant:
        control.break_(url, fault)
    broken = {"broken": meant, "mode": mode, "fraction": fraction, "seconds": seconds}
    show(broken, lambda _: f"{mode}: {', '.join(meant)}" + (f", for {seconds:g} s" if seconds else ""))


@group.command(remote=False)
def heal(which: Which = None) -> None:
    """End every fault of simulated providers."""
    from holdfast.lab.providers import control

    meant = urls(which)
    for url in meant:
        control.heal(url)
    show({"healed": meant}, lambda _: f"healed: {', '.join(meant)}")


def urls(which: list[str] | None) -> list[str]:
    """Find the simulated providers that are meant. Raises InvalidRequest where one is not on this machine."""
    given = [each for each in which or [] if "://" in each]
    names = [each for each in which or [] if "://" not in each]
    return [origin(each) for each in given] + (configured(settings(), names) if names or not given else [])


def configured(known: "Settings", names: list[str]) -> list[str]:
    if unknown := [name for name in names if name not in known.providers]:
        raise InvalidRequest(
            unknown[0],
            "is no provider of the configuration.",
            f"Known: {', '.join(known.providers)}." if known.providers else "`holdfast up --sim` starts some.",
        )
    wanted = names or [each.name for each in known.providers.values() if is_here(each.base_url)]
    if not wanted:
        raise InvalidRequest("sim", "no configured provider is on this machine.", "Name the simulated one's URL.")
    return [origin(known.providers[name].base_url) for name in wanted]


def origin(url: str) -> str:
    """Cut a URL to what the controls are under. Raises InvalidRequest: only what is simulated can be broken."""
    if not is_here(url):
        raise InvalidRequest(url, "is not on this machine, so it is no simulated provider.")
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_here(url: str) -> bool:
    return is_loopback(urlsplit(url).hostname)

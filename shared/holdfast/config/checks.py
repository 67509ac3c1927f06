"""What one table alone cannot see: names that must be known elsewhere in the file, and things said twice.

The checks read the file as it is, even where the schema refused part of it, so that every error comes at once.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from holdfast.config.clouds import check_site
from holdfast.config.problems import ConfigProblem, nearest, shown
from holdfast.config.toml_positions import Path
from holdfast.model.errors import InvalidRequest
from holdfast.model.receiver_address import read_allowed, read_receiver

File = dict[str, Any]


def check(file: File, providers: Iterable[str]) -> Iterator[ConfigProblem]:
    """Find every problem. ``providers`` are the names that routes may use."""
    known = sorted(providers)
    yield from _credentials(file)
    for name, provider in _table(file.get("providers")).items():
        yield from check_site(("providers", name), _table(provider))
    for path, route in _routes(file):
        yield from _provider(path, route, known)
    yield from _twice_in_a_plan(file)
    yield from _hedges(file)
    yield from _said_differently(file)
    yield from _alert_receivers(file)


def _credentials(file: File) -> Iterator[ConfigProblem]:
    for name, provider in _table(file.get("providers")).items():
        seen: set[str] = set()
        for index, credential in enumerate(_list(_table(provider).get("credentials"))):
            path: Path = ("providers", name, "credentials", index, "name")
            yield from _one_source(path[:-1], _table(credential))
            called = _table(credential).get("name")
            if not isinstance(called, str):
                continue
            if called in seen:
                yield ConfigProblem(path, "a name that no other credential of the provider has", repr(called))
            seen.add(called)


SOURCES = ("secret", "oauth2", "token")


def _one_source(path: Path, credential: File) -> Iterator[ConfigProblem]:
    given = [key for key in SOURCES if key in credential]
    if len(given) != 1:
        yield ConfigProblem(path, f"exactly one of {', '.join(SOURCES)}", " and ".join(given) or "none of them")


def _provider(path: Path, route: File, known: list[str]) -> Iterator[ConfigProblem]:
    name = route.get("provider")
    if isinstance(name, str) and name not in known:
        expected = f"a configured provider ({', '.join(known)})" if known else "a provider; none is configured"
        yield ConfigProblem((*path, "provider"), expected, shown((), name), nearest(name, known))


def _twice_in_a_plan(file: File) -> Iterator[ConfigProblem]:
    seen: set[tuple[str, str, str]] = set()
    for path, route in _routes(file):
        key = (str(path[1]), str(route.get("provider")), str(route.get("model")))
        if key in seen:
            yield ConfigProblem(path, "each route once in a plan", f"{key[1]}/{key[2]} again")
        seen.add(key)


def _hedges(file: File) -> Iterator[ConfigProblem]:
    """A second call takes another route than the first."""
    for alias, model in _table(file.get("models")).items():
        if "hedge" in _table(model) and len(_list(_table(model).get("routes"))) == 1:
            yield ConfigProblem(
                ("models", alias, "hedge"), "a plan of two routes or more, to hedge with", "a single route"
            )


def _said_differently(file: File) -> Iterator[ConfigProblem]:
    """A route has one set of limits, one price and one deadline, in whichever plan it stands."""
    first: dict[tuple[str, str], tuple[Path, File]] = {}
    for path, route in _routes(file):
        key = (str(route.get("provider")), str(route.get("model")))
        earlier_path, earlier = first.setdefault(key, (path, route))
        if earlier != route and earlier_path[1] != path[1]:
            expected = f"the same settings as in models.{earlier_path[1]}"
            yield ConfigProblem(path, expected, f"other ones for {key[0]}/{key[1]}")


def _alert_receivers(file: File) -> Iterator[ConfigProblem]:
    """Alerts go where webhooks may go."""
    try:
        allowed = read_allowed(str(each) for each in _list(_table(file.get("webhooks")).get("allow")))
    except ValueError:
        return  # that is told by itself
    for index, url in enumerate(_list(_table(file.get("alerts")).get("webhooks"))):
        try:
            read_receiver(str(url), allowed, "webhooks.allow")
        except InvalidRequest as error:
            expected = f"an address that webhooks may go to ({error.problem})"
            yield ConfigProblem(("alerts", "webhooks", index), expected, "another one")


def _routes(file: File) -> Iterator[tuple[Path, File]]:
    for alias, model in _table(file.get("models")).items():
        for index, route in enumerate(_list(_table(model).get("routes"))):
            if isinstance(route, dict):
                yield ("models", alias, "routes", index), route


def _table(value: object) -> File:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []

"""``holdfast key``: API keys of this installation. Access to its database is the right to make them."""

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from holdfast.cli.command import Noun
from holdfast.cli.context import installation
from holdfast.cli.show import say, show
from holdfast.cli.tables import Columns, Drawing, View, draw_acted, paint, view_table
from holdfast.client.operator import operator_name
from holdfast.model.access import KeyScope, named_key, read_key
from holdfast.model.durations import parse_duration
from holdfast.model.errors import InvalidRequest, NotFound
from holdfast.model.storable import is_storable

if TYPE_CHECKING:
    from holdfast.client.api_keys import ApiKeys

group = Noun("API keys: create, list, revoke.")
NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,100}")
ONCE = "this is the only time that the key is shown; clients look for it in HOLDFAST_API_KEY"


@group.command(remote=False)
def create(
    *,
    name: Annotated[str, Option(help="Whose key it is: lists and the audit log show this.")],
    tenant: Annotated[str | None, Option(help="Only this tenant's jobs (default: `default`).")] = None,
    all_tenants: Annotated[bool, Option("--all-tenants", help="Every tenant's jobs, and lanes and routes.")] = False,
    scopes: Annotated[
        list[KeyScope] | None, Option("--scope", help="What it may do; may be given again (default: submit, read).")
    ] = None,
    expires_in: Annotated[
        str | None, Option(help="Good for so long: 30m, 12h, 90d (default: until revoked).", metavar="TIME")
    ] = None,
    to: Annotated[
        Path | None,
        Option(help="Write it to this file, unless that holds a good key already; print nothing.", metavar="FILE"),
    ] = None,
) -> None:
    """Make a key. It is shown this once: what is kept cannot bring it back."""
    whose = owner(tenant, all_tenants=all_tenants)
    chosen = frozenset(scopes or (KeyScope.SUBMIT, KeyScope.READ))
    seconds, keys = read_lifetime(expires_in), api_keys()
    if to and (known := held(keys, to)):
        say(f"{to} holds key {known['id']} ({known['name']}) already, and it is good")
        show(known | {"file": str(to)}, lambda view: str(view["id"]))
        return
    from holdfast.client.key_file import write_file

    texts: list[str] = []
    keep = functools.partial(write_file, to) if to else texts.append
    view = keys.create(printable_name("--name", name), whose, chosen, seconds, keep)
    say(f"key {view['id']} is in {to}" if to else ONCE)
    more = {"file": str(to)} if to else {"key": texts[0]}
    show(view | more, lambda shown: str(shown["id" if to else "key"]))


@group.command("list", remote=False)
def list_keys(*, every: Annotated[bool, Option("--all", help="Revoked and expired ones too.")] = False) -> None:
    """List keys, newest first. Their secrets are kept nowhere."""
    show(api_keys().list(every=every), draw_keys)


@group.command(remote=False)
def revoke(key: Annotated[str, Argument(help="The key's id, as `key list` shows it.", metavar="KEY")]) -> None:
    """End a key. Every API process refuses it within five seconds."""
    id_ = named_key(key)
    if id_ is None:
        raise NotFound("key", "with that id")  # it may be a whole key, mistyped: it is not repeated
    show(api_keys().revoke(id_), draw_acted)


def api_keys() -> "ApiKeys":
    from holdfast.client.api_keys import ApiKeys

    return ApiKeys(installation(), operator_name())


def held(keys: "ApiKeys", file: Path) -> View | None:
    """Find the good key that a file holds. Raises InvalidRequest where it holds something else: it would be lost."""
    from holdfast.client.key_file import read_file

    if not file.exists():
        return None
    text = read_file(file, "--to")
    if text and read_key(text) is None:
        raise InvalidRequest("--to", f"{file} holds something that is no key.", "Name another file.")
    return keys.usable(text)


def owner(tenant: str | None, *, all_tenants: bool) -> str | None:
    from holdfast.model.job import DEFAULT_TENANT

    if not all_tenants:
        return printable_name("--tenant", DEFAULT_TENANT if tenant is None else tenant)
    if tenant is not None:
        raise InvalidRequest("--tenant", "and --all-tenants exclude each other.")
    return None


def printable_name(option: str, text: str) -> str:
    if not NAME.fullmatch(text) or not is_storable(text) or read_key(text):
        raise InvalidRequest(option, "expected 1 to 100 printable characters.")
    return text


def read_lifetime(text: str | None) -> float | None:
    """Read how long a key is to be good, in seconds. Raises InvalidRequest."""
    seconds = parse_duration(text) if text is not None else None
    if text is not None and not seconds:
        raise InvalidRequest("--expires-in", f"expected 30m, 12h or 90d, got {text[:40]!r}.")
    return seconds


KEYS: Columns = {
    "key": "id",
    "name": "name",
    "": lambda key: paint(key["state"], "green" if key["state"] == "good" else "red"),
    "tenant": lambda key: key["tenant"] or "(all)",
    "may": lambda key: " ".join(key["scopes"]),
    "until": "expires_at",
    "last used": "used_at",
}


def draw_keys(view: View) -> Drawing:
    """Draw API keys; their secrets are not there to be drawn."""
    return view_table(view["keys"], KEYS, empty="no keys: `holdfast key create` makes one")

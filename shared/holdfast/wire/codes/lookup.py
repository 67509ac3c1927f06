"""Finds the row of a code: in the tables of the route's own API first, then in all the others.

A gateway hands on codes of whoever stands behind it, and a compatible server borrows them.
"""

from collections.abc import Iterable, Mapping

from holdfast.model.route import Api
from holdfast.wire.codes.anthropic import ANTHROPIC
from holdfast.wire.codes.aws import AWS
from holdfast.wire.codes.azure import AZURE
from holdfast.wire.codes.code_row import CodeRow
from holdfast.wire.codes.google import GOOGLE
from holdfast.wire.codes.hosts import HOSTS
from holdfast.wire.codes.openai import OPENAI
from holdfast.wire.codes.servers import SERVERS

CODE_TABLES: Mapping[str, tuple[CodeRow, ...]] = {
    "Anthropic": ANTHROPIC,
    "OpenAI": OPENAI,
    "Google": GOOGLE,
    "AWS": AWS,
    "Azure": AZURE,
    "other providers": HOSTS,
    "servers": SERVERS,
}
OWN: Mapping[Api, tuple[str, ...]] = {
    Api.ANTHROPIC: ("Anthropic",),
    Api.OPENAI_CHAT: ("OpenAI",),
    Api.OPENAI_RESPONSES: ("OpenAI",),
    Api.ANTHROPIC_BEDROCK: ("Anthropic", "AWS"),
    Api.ANTHROPIC_BEDROCK_MANTLE: ("Anthropic", "AWS"),
    Api.ANTHROPIC_AWS: ("Anthropic", "AWS"),
    Api.ANTHROPIC_VERTEX: ("Anthropic", "Google"),
    Api.ANTHROPIC_GOOGLE_CLOUD: ("Anthropic", "Google"),
    Api.ANTHROPIC_FOUNDRY: ("Anthropic", "Azure"),
    Api.AZURE_OPENAI: ("Azure", "OpenAI"),
    Api.AZURE_OPENAI_RESPONSES: ("Azure", "OpenAI"),
    Api.OPENAI_BEDROCK: ("OpenAI", "AWS"),
    Api.OPENAI_BEDROCK_RESPONSES: ("OpenAI", "AWS"),
}


def spelling(code: str) -> str:
    """Bring the spellings of one code together.

    >>> {spelling(code) for code in ("invalid_api_key", "InvalidApiKey", "INVALID-API-KEY")}
    {'invalidapikey'}
    """
    return code.replace("_", "").replace("-", "").lower()


def _index(rows: Iterable[CodeRow]) -> Mapping[str, CodeRow]:
    """Rows by spelling; the first of a spelling stays."""
    found: dict[str, CodeRow] = {}
    for row in rows:
        found.setdefault(spelling(row.code), row)
    return found


_BY_API: Mapping[Api, Mapping[str, CodeRow]] = {
    api: _index(row for name in (*own, *CODE_TABLES) for row in CODE_TABLES[name]) for api, own in OWN.items()
}


def find_row(api: Api, code: str) -> CodeRow | None:
    """The row of ``code``; that of its first part where a dotted code has none of its own (``Throttling.User``)."""
    table, key = _BY_API[api], spelling(code)
    return table.get(key) or table.get(key.partition(".")[0])

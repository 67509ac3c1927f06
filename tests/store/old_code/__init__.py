"""What the code of released revisions says to the database, recorded by ``store.record``."""

from base64 import b64decode
from pathlib import Path
from typing import Any

import orjson

from holdfast.store import Store, migrations

HERE = Path(__file__).parent


def upgrade_to(store: Store, revision: str) -> None:
    """Bring a database to an earlier revision than the newest."""
    store.alter(lambda engine: migrations.upgrade(engine, revision))


def recorded(revision: str, database: str) -> list[dict[str, Any]]:
    """Each statement with its parameters, and how many rows it answered or moved."""
    lines = [orjson.loads(line) for line in (HERE / f"{revision}.{database}.jsonl").read_bytes().splitlines()]
    return [line | {"parameters": read(line["parameters"])} for line in lines]


def read(value: Any) -> Any:
    match value:
        case {"bytes": str(text)} if len(value) == 1:
            return b64decode(text)
        case dict():
            return {name: read(each) for name, each in value.items()}
        case list():
            return [read(each) for each in value]
        case _:
            return value

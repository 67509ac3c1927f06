"""Migrations of the schema, run from Python: no alembic.ini, and no alembic at all when nothing is to be done."""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from holdfast.model.errors import Conflict

if TYPE_CHECKING:
    from alembic.script import ScriptDirectory

HEAD = "0002"  # the newest revision; a test compares it with the files
LOCK = 4_841_026_170  # of Postgres, so that processes that start together upgrade one after the other


def is_current(connection: Connection) -> bool:
    """Whether the schema is at HEAD. Cheap: one look at the catalogue and one at a row."""
    return revision(connection) == HEAD


def revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("select version_num from alembic_version")).scalar()
    return found


def upgrade(connection: Connection) -> None:
    """Bring the schema to HEAD, in the transaction of ``connection``."""
    from alembic import command  # noqa: PLC0415 - 0.1 s that a current schema need not pay
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    if connection.dialect.name == "postgresql":
        connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    _refuse_newer(revision(connection), ScriptDirectory.from_config(config))
    command.upgrade(config, "head")


def _refuse_newer(found: str | None, scripts: "ScriptDirectory") -> None:
    if found is not None and found not in {script.revision for script in scripts.walk_revisions()}:
        raise Conflict(
            "the database", f"is at revision {found}, which this version does not know. Run a newer Holdfast."
        )

"""``holdfast db``: the schema."""

from holdfast.cli.command import Noun
from holdfast.cli.context import installation
from holdfast.cli.show import show

group = Noun("The database: upgrade.")


@group.command(remote=False)
def upgrade() -> None:
    """Bring the schema to the newest revision, while running processes of the last version go on working.

    SQLite files and empty databases are brought there by the first command that needs them; a Postgres that is in use
    only by this one.
    """
    store = installation().store
    store.upgrade()
    show({"database_url": store.url, "upgraded": True}, lambda view: f"{view['database_url']} is up to date")


@group.callback()
def keep_group() -> None:
    """Keep ``upgrade`` a command of its own: a group of one would swallow its name."""

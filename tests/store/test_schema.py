"""The migrations make exactly the tables that the classes describe, once, however many start at the same time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from holdfast.model.errors import Conflict, SchemaBehind
from holdfast.store import Store, migrations
from holdfast.store.backlog import list_lanes
from holdfast.store.tables import METADATA
from store.old_code import upgrade_to


@pytest.fixture(params=["sqlite", "postgres"])
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/bare.db"
        return
    server: Store = request.getfixturevalue("postgres_store")
    with server._writer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("create database bare"))
        yield str(request.getfixturevalue("postgres_url")).replace("/holdfast?", "/bare?")
        connection.execute(text("drop database bare with (force)"))


def scripts() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return ScriptDirectory.from_config(config)


def test_the_newest_revision_is_the_one_that_the_code_expects() -> None:
    assert scripts().get_heads() == [migrations.HEAD]


def test_revisions_are_numbered_in_their_order() -> None:
    """Code tells by the number whether a schema is older or newer than itself."""
    names = [script.revision for script in scripts().walk_revisions()]
    assert names == sorted(names, reverse=True)


def test_no_revision_goes_back() -> None:
    assert [script.revision for script in scripts().walk_revisions() if hasattr(script.module, "downgrade")] == []


def test_a_migrated_database_is_what_the_classes_describe(store: Store) -> None:
    def differences(tx: object) -> object:
        context = MigrationContext.configure(tx.connection)  # type: ignore[attr-defined]
        return compare_metadata(context, METADATA)

    assert store.read(differences) == []


def test_checks_and_partial_indexes_are_those_of_the_classes(store: Store) -> None:
    """What alembic's comparison leaves out."""

    def shape(tx: object) -> dict[str, object]:
        looked = inspect(tx.connection)  # type: ignore[attr-defined]
        return {
            table: (
                {check["name"] for check in looked.get_check_constraints(table)},
                {
                    index["name"]: any(option.endswith("_where") for option in index.get("dialect_options", ()))
                    for index in looked.get_indexes(table)
                },
            )
            for table in METADATA.tables
        }

    found = store.read(shape)
    for name, table in METADATA.tables.items():
        checks = {str(c.name) for c in table.constraints if c.__visit_name__.endswith("check_constraint")}
        indexes = {str(i.name): i.dialect_options["sqlite"]["where"] is not None for i in table.indexes}
        assert found[name] == (checks, indexes), name


def content_of(store: Store) -> tuple[set[str], dict[str, list[object]]]:
    """What makes each table and index, whatever the blanks in it, and all rows."""

    def read(tx: object) -> tuple[set[str], dict[str, list[object]]]:
        ask = tx.connection.exec_driver_sql  # type: ignore[attr-defined]
        made = {" ".join(sql.split()) for (sql,) in ask("select sql from sqlite_master where sql is not null")}
        tables = [name for (name,) in ask("select name from sqlite_master where type = 'table'")]
        return made, {name: [tuple(row) for row in ask(f"select * from {name}")] for name in tables}

    return store.read(read)


def test_a_new_sqlite_database_is_what_the_migrations_would_have_made(tmp_path: Path) -> None:
    by_script, by_migrations = (Store(f"sqlite:///{tmp_path}/{name}.db") for name in ("script", "migrations"))
    by_script.ensure()
    upgrade_to(by_migrations, migrations.HEAD)
    assert content_of(by_script) == content_of(by_migrations), "run `make docs`"
    by_script.close()
    by_migrations.close()


def test_ensuring_twice_changes_nothing(bare_url: str) -> None:
    store = Store(bare_url)
    store.ensure()
    store.ensure()
    store.upgrade()
    assert store.read(list_lanes) == []
    store.close()


def test_processes_that_start_together_make_one_schema(bare_url: str) -> None:
    stores = [Store(bare_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(Store.ensure, stores))
    for store in stores:
        assert store.read(list_lanes) == []
        store.close()


def say(store: Store, statement: str) -> None:
    store.write(lambda tx: tx.connection.execute(text(statement)))


def test_a_newer_schema_that_only_has_more_will_do(bare_url: str) -> None:
    store = Store(bare_url)
    store.ensure()
    say(store, "update alembic_version set version_num = '9999'")
    store.ensure()
    store.upgrade()
    assert store.read(lambda tx: migrations.read_revisions(tx.connection)) == ("9999", "0001")
    store.close()


@pytest.mark.parametrize("crime", ["update schema_floor set revision = '9998'", "drop table schema_floor"])
def test_a_newer_schema_that_lacks_something_is_left_alone(bare_url: str, crime: str) -> None:
    store = Store(bare_url)
    store.ensure()
    say(store, "update alembic_version set version_num = '9999'")
    say(store, crime)
    with pytest.raises(Conflict, match="at revision 9999, and code from before 999"):
        store.ensure()
    store.close()


def test_a_postgres_that_is_behind_waits_for_its_operator_and_a_file_does_not(bare_url: str) -> None:
    store = Store(bare_url)
    upgrade_to(store, "0002")
    if bare_url.startswith("sqlite"):
        store.ensure()
    else:
        with pytest.raises(SchemaBehind, match=r"at revision 0002.*holdfast db upgrade"):
            store.ensure()
        store.upgrade()
    assert store.read(lambda tx: migrations.read_revisions(tx.connection)) == (migrations.HEAD, "0001")
    store.close()


def test_whoever_starts_while_the_first_process_makes_the_tables_waits_for_it(postgres_store, monkeypatch) -> None:
    """The first one holds the lock, and is seen at three revisions."""
    seen = [(revision, "0001") for revision in (migrations.HEAD, "0007", "0002")]
    monkeypatch.setattr(migrations, "TRY_AGAIN", 0.0)
    monkeypatch.setattr(migrations, "read_revisions", lambda _: seen.pop())
    with postgres_store._writer.connect().execution_options(isolation_level="AUTOCOMMIT") as first:
        first.execute(text("select pg_advisory_lock(:lock)"), {"lock": migrations.LOCK})
        try:
            postgres_store.ensure()
        finally:
            first.execute(text("select pg_advisory_unlock(:lock)"), {"lock": migrations.LOCK})
    assert seen == []


def test_an_index_whose_building_was_cut_short_is_built_again(bare_url: str) -> None:
    store = Store(bare_url)
    upgrade_to(store, "0002")
    say(store, "create index job_lane on job (lane)")
    store.upgrade()
    lane = store.read(lambda tx: [i for i in inspect(tx.connection).get_indexes("job") if i["name"] == "job_lane"])
    assert lane[0]["column_names"] == ["lane", "state", "id"]
    store.close()

"""Connections: SQLite made durable and polite, Postgres with time limits, and a refusal where neither can be safe."""

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from holdfast.model.environment import DATABASE_URL
from holdfast.model.errors import ConfigError
from holdfast.store.sqlite_reader import begin_reading
from holdfast.store.sqlite_writer import BUSY_SECONDS, begin_writing, execute_when_free

NETWORK_FILE_SYSTEMS = frozenset(
    {"9p", "afs", "ceph", "cifs", "gfs2", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "smb3", "smbfs"}
    | {f"fuse.{name}" for name in ("ceph", "glusterfs", "rclone", "s3fs", "sshfs")}
)
SQLITE_PRAGMAS: Mapping[str, str] = {
    "journal_mode": "wal",
    "synchronous": "full",  # NORMAL loses committed rows when the power goes; group commit pays for the difference
    "temp_store": "memory",
    "wal_autocheckpoint": "4000",  # pages
    "journal_size_limit": "67108864",  # bytes
}
# Of each connection, in KiB, written as a negative number. The system caches the file too, so more would only make the
# memory of every process grow with the database: a process has one connection that writes, and some that read.
WRITER_CACHE, READER_CACHE = -8_192, -2_048
# A link that breaks in silence is noticed within about ten seconds at both ends: by us, or a worker would wait for as
# long as TCP goes on trying; by the server, or the rows of a transaction cut in half would stay locked for as long.
USER_TIMEOUT = {"tcp_user_timeout": 10_000}  # milliseconds
KEEPALIVE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}  # seconds, seconds, tries
POSTGRES_OPTIONS = " ".join(
    f"-c {option}"
    for option in (
        "statement_timeout=60s",
        "lock_timeout=15s",
        "idle_in_transaction_session_timeout=60s",
        *(f"{name}={value}" for name, value in USER_TIMEOUT.items()),
        *(f"tcp_{name}={value}" for name, value in KEEPALIVE.items()),
    )
)


def unusable_url(problem: str) -> ConfigError:
    """Make the error for a database URL, which either place may have named."""
    return ConfigError((f"storage.database_url or {DATABASE_URL}: {problem}",))


def read_url(text: str) -> URL:
    """Read a database URL of the configuration. Raises ConfigError."""
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise unusable_url(str(error)) from None
    match url.get_backend_name():
        case "sqlite":
            return _check_file(url.set(drivername="sqlite"))
        case "postgresql" | "postgres":
            _check_options(url)
            return url.set(drivername="postgresql+psycopg")
        case other:
            problem = f"expected sqlite:///FILE or postgresql://HOST/NAME, got {other!r}"
            raise unusable_url(problem)


def _check_options(url: URL) -> None:
    """Refuse what Postgres' own library knows no option of. Raises ConfigError."""
    if not url.query:
        return
    from psycopg import ProgrammingError  # noqa: PLC0415 - slow to import, and few addresses have options
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415 - the same

    try:
        make_conninfo("", **{name: str(value) for name, value in url.query.items()})
    except ProgrammingError as error:
        raise unusable_url(f"{str(error).strip()}; leave it out") from None


def show_url(url: URL) -> str:
    """The URL as one can connect to it, without passwords."""
    query = {name: value for name, value in url.query.items() if "password" not in name}
    shown = url._replace(drivername=url.get_backend_name(), password=None)
    return shown.set(query=query).render_as_string()


def _check_content(path: Path) -> None:
    """Refuse what is there and no database. Raises ConfigError.

    SQLite itself looks at the file. Whoever else opens and closes it gives up every lock that this process holds on it
    (https://sqlite.org/howtocorrupt.html, section 2.2): another process would then think it alone, delete the log, and
    this one would never see a later change.
    """
    if path.is_dir():
        raise unusable_url(f"{path} is a folder; name a file in it, such as holdfast.db")
    if path.exists() and not path.is_file():  # a pipe would hold up whoever opens it
        raise unusable_url(f"{path} is a device or a pipe; name a file")
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=0.0)) as looked_at:
            looked_at.execute("pragma schema_version")
    except sqlite3.DatabaseError as error:  # not there yet, locked, and the like are for the first transaction to tell
        if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB:
            raise unusable_url(f"{path} is no SQLite database; name another file") from None


def _check_file(url: URL) -> URL:
    if not url.database or url.database == ":memory:":
        raise unusable_url("expected sqlite:///FILE; several processes cannot share memory")
    if url.query:
        raise unusable_url(f"SQLite takes no options, got {', '.join(url.query)}; leave them out")
    path = Path(url.database).absolute()
    _check_content(path)
    kind = file_system(path, Path("/proc/mounts"))
    if kind in NETWORK_FILE_SYSTEMS:
        problem = f"{path} is on a network file system ({kind}), where SQLite's locks lose data; use a local disk"
        raise unusable_url(f"{problem} or Postgres")
    return url.set(database=str(path))


def file_system(path: Path, mounts: Path) -> str | None:
    """The type of the file system that holds ``path``, from a table like /proc/mounts; None where there is none."""
    real = Path(os.path.realpath(path))
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    points = [(Path(point.replace("\\040", " ")), kind) for _, point, kind, *_ in (line.split() for line in lines)]
    holding = [(point, kind) for point, kind in points if real.is_relative_to(point)]
    return max(holding, key=lambda held: len(held[0].parts))[1] if holding else None


def open_engines(url: URL) -> tuple[Engine, Engine]:
    """One engine that writes and one that reads; the same one on Postgres."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, writes=True), _sqlite(url, writes=False)
    engine = create_engine(
        url,
        pool_size=5,
        max_overflow=10,
        pool_timeout=15,
        hide_parameters=True,  # they hold prompts, and errors are logged
        connect_args={
            "connect_timeout": 5,
            "application_name": "holdfast",
            "options": POSTGRES_OPTIONS,
            **USER_TIMEOUT,
            **KEEPALIVE,
        },
    )
    # One snapshot for every statement of a look, and no way to write by mistake.
    return engine, engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _sqlite(url: URL, *, writes: bool) -> Engine:
    """One connection for the writers of this process, who take turns at it, and one for who changes the schema."""
    sizes = {"pool_size": 1, "max_overflow": 1} if writes else {"pool_size": 4, "max_overflow": 8}
    engine = create_engine(
        url, pool_timeout=60, hide_parameters=True, connect_args={"check_same_thread": False}, **sizes
    )

    def opened(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # BEGIN is ours to say, below
        for pragma, value in SQLITE_PRAGMAS.items():
            execute_when_free(connection, f"pragma {pragma} = {value}")
        connection.execute(f"pragma cache_size = {WRITER_CACHE if writes else READER_CACHE}")
        # Who writes waits in a way of its own: see ``execute_when_free``.
        connection.execute(f"pragma busy_timeout = {0 if writes else round(BUSY_SECONDS * 1000)}")
        if not writes:
            connection.execute("pragma query_only = on")

    event.listen(engine, "connect", opened)
    event.listen(engine, "begin", begin_writing if writes else begin_reading)
    return engine


def make_directory(url: URL) -> None:
    """Make the directory of a SQLite file, readable by its owner only: it will hold prompts. Raises ConfigError."""
    if url.get_backend_name() == "sqlite":
        folder = Path(str(url.database)).parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            problem = f"the folder {folder} cannot be made: {error.strerror}; name a file elsewhere"
            raise unusable_url(problem) from None

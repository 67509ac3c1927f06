"""Mistakes in what stands around a command: places, names, addresses and variables. Each is answered as in the table
of test_mistakes.py.
"""

import fcntl

import pytest

from cli.mistakes import LINE, NOWHERE, Mistake, lay_out, make_mistake, mistake

LONG = "a" * 256
BATCH = NOWHERE.replace("job", "batch")
RUN = "run in.jsonl -o out.jsonl"
DATABASE, REDIS = "HOLDFAST_DATABASE_URL", "HOLDFAST_REDIS_URL"
MISTAKES = [
    # places
    mistake("run in.jsonl -o in.jsonl/out.jsonl", 2, "in.jsonl is a file, and no folder", "elsewhere"),
    mistake("run in.jsonl -o loop.jsonl", 2, "loop.jsonl", "symbolic links", "elsewhere"),
    mistake("run loop.jsonl -o out.jsonl", 2, "loop.jsonl", "cannot be read", "symbolic links"),
    mistake("run nothing.jsonl -o out.jsonl", 2, "nothing.jsonl", "no such file"),
    mistake("run out.jsonl.part -o out.jsonl", 2, "out.jsonl.part", "the input itself", "another"),
    mistake("run hard.jsonl -o in.jsonl", 2, "is the input itself", "another"),
    mistake("run hard.jsonl -o in.jsonl --follow", 2, "is the input itself", "another"),
    mistake(f"run in.jsonl -o {LONG}", 1, LONG, "file name too long", "another"),
    mistake(f"submit {LONG}", 2, LONG, "file name too long"),
    mistake("submit loop.jsonl", 2, "loop.jsonl", "cannot be read"),
    mistake("ask hi --file loop.jsonl", 2, "loop.jsonl", "cannot be read"),
    mistake("drill run folder", 4, "neither a scenario nor a file", "only_route"),
    # what is no text
    mistake("ask -", 2, "standard input", "no utf-8", "byte 2", "iconv", stdin=b"h\xe9?"),
    mistake("ask h\udce9?", 2, "prompt", "no utf-8", "iconv"),
    # names
    mistake(f"job show {BATCH}", 2, "is the id of a batch", "holdfast batch show"),
    mistake(f"batch show {NOWHERE}", 2, "is the id of a job", "holdfast job show"),
    mistake("job show job_123", 2, "'job_123' is no job id", "32 hex"),
    mistake("job list --cursor nonsense", 2, "'nonsense' is no job id"),
    mistake("lane pause ''", 4, "no lane ''", "lane list"),
    mistake("lane pause smart.interactiv", 4, "no lane smart.interactiv", "did you mean smart.interactive"),
    mistake("route open anthropic", 4, "no route anthropic", "did you mean anthropic/claude-opus-4-8"),
    mistake("route close ''", 4, "no route ''", "route list"),
    mistake("webhook redeliver nosuch", 4, "no delivery nosuch", "holdfast webhook deliveries"),
    mistake("webhook test nosuch", 4, "no webhook nosuch", "holdfast webhook list"),
    mistake("webhook add https://example.com --event nosuch", 2, "no event 'nosuch'", "batch.completed"),
    mistake("webhook add http://localhost/x", 2, "local name", "webhooks.allow"),
    mistake("diagnose nosuch", 4, "no provider nosuch", "holdfast config show"),
    mistake("events --after nonsense", 2, "evt_", "got 'nonsense'"),
    mistake("events --kind nosuch", 2, "--kind", "job.dead", "got 'nosuch'"),
    mistake("key create --name x --scope all", 2, "--scope", "'operate'"),
    mistake("key create --name x --expires-in forever", 2, "--expires-in", "90d", "got 'forever'"),
    mistake("key create --name x --to folder", 2, "--to", "folder", "is a directory"),
    mistake("key create --name x --to other.key", 2, "--to", "no key", "another"),
    mistake("key create --name x --tenant a --all-tenants", 2, "--tenant", "--all-tenants"),
    mistake("sim serve --port {taken}", 1, "port {taken}", "already in use", "--port"),
    mistake("up --sim --config holdfast.toml", 2, "--sim", "--config"),
    mistake("api --host 0.0.0.0", 78, "server.host", "no api key", "holdfast key create"),
    mistake("init", 1, "holdfast.toml", "there already", "config check"),
    # spans of time
    mistake("ask hi --timeout soon", 2, "--timeout", '"5m"', "got 'soon'"),
    mistake("ask hi --timeout -1", 2, "--timeout", "a number of seconds", "got '-1'"),
    mistake(f"batch wait {BATCH} --timeout 5min", 2, "--timeout", '"5m"', "got '5min'"),
    mistake(f"{RUN} --expires-in 0", 2, "--expires-in", "above zero", "got '0'"),
    mistake("submit in.jsonl --expires-in 1w", 2, "--expires-in", "a duration", "got '1w'"),
    mistake(f"job wait {NOWHERE} --timeout 1.5h", 4, "there is no job"),
    # servers
    mistake("status --server http://", 2, "'http://' names no host", "holdfast up"),
    mistake("status --server http://[::1", 2, "names no host", "holdfast up"),
    mistake("status --server http://127.0.0.1:99999", 2, "99999", "names no host and port"),
    mistake("status --server 'http://my host'", 2, "my host", "names no host"),
    mistake("status --server {json}", 69, "no holdfast server", "404", "holdfast up"),
    mistake(f"{RUN} --server {{json}}", 69, "no holdfast server", "404"),
    mistake("status", 2, "no http:// or https://", "write http://127.0.0.1:1.", HOLDFAST_URL="'http://127.0.0.1:1'"),
    mistake("status", 69, "the server at http://127.0.0.1:1 did not answer", HOLDFAST_URL=" http://127.0.0.1:1\n"),
    mistake("status --server {json}", 2, "holdfast_api_key", "holdfast key create", HOLDFAST_API_KEY="sk-other"),
    mistake("status --server {json}", 2, "missing.key", "no such file", HOLDFAST_API_KEY_FILE="missing.key"),
    mistake("status --server {json}", 2, "other.key", "no api key of holdfast", HOLDFAST_API_KEY_FILE="other.key"),
    # storage
    mistake("status", 78, "no option 'colour'", REDIS.lower(), HOLDFAST_REDIS_URL="redis://127.0.0.1:1?colour=1"),
    mistake("status", 78, "number of a database", "'/queue'", HOLDFAST_REDIS_URL="redis://127.0.0.1:1/queue"),
    mistake("status", 78, "invalid value for 'db'", HOLDFAST_REDIS_URL="redis://127.0.0.1:1?db=queue"),
    mistake("status", 78, "unix:///path", HOLDFAST_REDIS_URL="unix://"),
    mistake("status", 78, "sentinel://hosts/name", HOLDFAST_REDIS_URL="sentinel://127.0.0.1:1"),
    mistake("status", 78, "embedded", "'embeded'", HOLDFAST_REDIS_URL="embeded"),
    mistake("status", 78, DATABASE.lower(), "sqlite:///path", HOLDFAST_DATABASE_URL="sqlite://holdfast.db"),
    mistake("status", 78, DATABASE.lower(), "sqlite:///path", HOLDFAST_DATABASE_URL="sqlite:holdfast.db"),
    mistake("status", 78, DATABASE.lower(), "sqlite:///path", HOLDFAST_DATABASE_URL="sqlite:///:memory:"),
    mistake("status", 78, DATABASE.lower(), "sqlite:///path", HOLDFAST_DATABASE_URL="holdfast.db"),
    mistake("status", 78, "pipe", "name a file", HOLDFAST_DATABASE_URL="sqlite:///pipe"),
    mistake("status", 78, "in.jsonl cannot be made", "elsewhere", HOLDFAST_DATABASE_URL="sqlite:///in.jsonl/x.db"),
    mistake("status", 78, "no options", "cache", HOLDFAST_DATABASE_URL="sqlite:///x.db?cache=shared"),
    mistake("status", 78, 'invalid connection option "colour"', HOLDFAST_DATABASE_URL="postgresql://h/x?colour=1"),
    mistake("status", 78, "postgresql://", HOLDFAST_DATABASE_URL="postgresql+asyncpg://127.0.0.1/x"),
    mistake("config check", 78, "nowhere.toml", "no such file", HOLDFAST_CONFIG="~/nowhere.toml"),
]  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_around_a_command_is_answered_in_a_few_lines(
    cli, store, tmp_path, addresses, monkeypatch, mistake: Mistake
) -> None:
    make_mistake(cli, store, tmp_path, addresses, monkeypatch, mistake)


def test_an_input_is_not_emptied_by_the_name_under_which_its_output_would_grow(cli, tmp_path) -> None:
    lay_out(tmp_path)
    assert cli("run", "out.jsonl.part", "-o", "out.jsonl").status == 2
    assert (tmp_path / "out.jsonl.part").read_text() == LINE


def test_two_commands_do_not_write_one_output_at_a_time(cli, tmp_path) -> None:
    lay_out(tmp_path)
    with (tmp_path / "out.jsonl.part").open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        ended = cli("run", "in.jsonl", "-o", "out.jsonl", "--model", "nobody")
    assert ended.status == 1
    assert "another command is writing it" in ended.err
    assert (tmp_path / "out.jsonl.part").read_text() == LINE


def test_an_output_that_is_a_link_stays_one(cli, worker, prompts, tmp_path) -> None:
    (tmp_path / "volume").mkdir()
    (tmp_path / "answers.jsonl").symlink_to("volume/answers.jsonl")
    source = prompts("one")
    cli("submit", source)
    worker.answer()
    assert cli("run", source, "-o", "answers.jsonl").status == 0
    assert (tmp_path / "answers.jsonl").is_symlink()
    assert "ONE" in (tmp_path / "volume" / "answers.jsonl").read_text()
    assert [each.name for each in (tmp_path / "volume").iterdir()] == ["answers.jsonl"]


def test_blanks_around_a_variable_are_not_part_of_it(cli, tmp_path, monkeypatch) -> None:
    """As Kubernetes has them from a secret that was made of a file."""
    monkeypatch.setenv("HOLDFAST_CONFIG", f"{tmp_path}/holdfast.toml\n")
    monkeypatch.setenv(DATABASE, f"sqlite:///{tmp_path}/other.db\n")
    assert cli("status", "--json").json["database_url"] == f"sqlite:///{tmp_path}/other.db"

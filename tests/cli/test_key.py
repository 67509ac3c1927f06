"""``holdfast key``: made once, shown once, listed without a secret, revoked for good; and how commands show one."""

import stat

import pytest

from api.keys import add_key
from holdfast.model.access import KeyScope, read_key
from holdfast.store.api_keys import read_keys
from producing import served


def test_a_key_is_printed_alone_and_only_once(cli, store) -> None:
    made = cli("key", "create", "--name", "nightly")
    key = made.out.strip()
    assert read_key(key) is not None
    assert "only time" in made.err
    assert key not in made.err
    (kept,), _ = store.read(read_keys)
    assert (kept.name, kept.tenant, kept.scopes) == ("nightly", "default", {KeyScope.SUBMIT, KeyScope.READ})
    assert key.rpartition("_")[2] not in cli("key", "list", "--all", "--json").out
    assert kept.digest not in cli("key", "list", "--all", "--json").out


def test_two_keys_have_nothing_in_common(cli) -> None:
    keys = [read_key(cli("key", "create", "--name", "a").out.strip()) for _ in range(2)]
    assert len({part for key in keys for part in key}) == 4


def test_what_a_key_may_do_is_said_when_it_is_made(cli) -> None:
    made = cli("key", "create", "--name", "ops", "--all-tenants", "--scope", "operate", "--scope", "read",
               "--expires-in", "90d", "--json").json  # fmt: skip
    assert (made["tenant"], made["scopes"], made["state"]) == (None, ["operate", "read"], "good")
    assert made["expires_at"] > made["created_at"]
    shown = cli("key", "list")
    assert all(word in shown.out for word in ("ops", "(all)", "operate read", made["id"]))


def test_a_revoked_key_stays_listed_as_such(cli) -> None:
    made = cli("key", "create", "--name", "a", "--json").json
    for name in (made["id"], f"hf_{made['id']}", made["key"]):
        assert cli("key", "revoke", name).status == 0
    assert cli("key", "list", "--json").json == {"keys": []}
    (kept,) = cli("key", "list", "--all", "--json").json["keys"]
    assert kept["state"] == "revoked"


def test_a_mistyped_key_is_not_repeated(cli) -> None:
    typo = "hf_0123456789abcdeg_" + "7" * 48
    ended = cli("key", "revoke", typo)
    assert ended.status == 4
    assert "7777" not in ended.err
    assert cli("key", "revoke", "0" * 16).status == 4


@pytest.mark.parametrize(
    "wrong",
    [
        ("--name", ""),
        ("--name", "x" * 101),
        ("--name", "a\x1b[2J"),
        ("--name", "a", "--tenant", ""),
        ("--name", "a", "--tenant", "b", "--all-tenants"),
        ("--name", "a", "--expires-in", "soon"),
        ("--name", "a", "--expires-in", "0d"),
        ("--name", "a", "--scope", "everything"),
    ],
)
def test_what_makes_no_sense_makes_no_key(cli, store, wrong) -> None:
    assert cli("key", "create", *wrong).status == 2
    assert store.read(read_keys)[0] == []


def test_a_file_gets_the_key_and_stdout_does_not(cli, store, tmp_path) -> None:
    file = tmp_path / "keys" / "api-key"
    made = cli("key", "create", "--name", "compose", "--to", file)
    key = file.read_text().strip()
    assert read_key(key)[0] == made.out.strip()
    assert key.rpartition("_")[2] not in made.out + made.err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_second_start_leaves_a_good_key_and_replaces_a_revoked_one(cli, store, tmp_path) -> None:
    file = tmp_path / "api-key"
    first = cli("key", "create", "--name", "a", "--to", file).out
    assert cli("key", "create", "--name", "a", "--to", file).out == first
    cli("key", "revoke", first.strip())
    assert cli("key", "create", "--name", "a", "--to", file).out != first
    assert len(store.read(read_keys)[0]) == 2


def test_a_file_that_holds_something_else_is_left_alone(cli, store, tmp_path) -> None:
    file = tmp_path / "prompts.jsonl"
    file.write_text("{}\n")
    assert cli("key", "create", "--name", "a", "--to", file).status == 2
    assert (file.read_text(), store.read(read_keys)[0]) == ("{}\n", [])


@pytest.fixture
def url(settings, store):
    add_key(store)
    with served(settings) as address:
        yield address


def test_commands_show_the_key_of_the_environment(cli, store, url, prompts, monkeypatch, tmp_path) -> None:
    ended = cli("job", "list", "--server", url)
    assert (ended.status, "holdfast key create" in ended.err) == (5, True)
    file = tmp_path / "key"
    file.write_text(add_key(store, None, KeyScope.ADMIN) + "\n")
    for name, value in (("HOLDFAST_API_KEY_FILE", str(file)), ("HOLDFAST_API_KEY", file.read_text())):
        with monkeypatch.context() as patched:
            patched.setenv(name, value)
            assert cli("job", "list", "--server", url).status == 0
            assert cli("submit", prompts("one"), "--server", url).status == 0


def test_a_key_without_the_scope_is_status_5(cli, store, url, monkeypatch) -> None:
    monkeypatch.setenv("HOLDFAST_API_KEY", add_key(store, "default", KeyScope.READ))
    ended = cli("ledger", "--server", url)
    assert (ended.status, "scope watch" in ended.err) == (5, True)


def test_what_is_no_key_of_ours_is_sent_nowhere(cli, url, monkeypatch) -> None:
    monkeypatch.setenv("HOLDFAST_API_KEY", "sk-ant-of-somebody-else")
    ended = cli("job", "list", "--server", url)
    assert (ended.status, "HOLDFAST_API_KEY" in ended.err) == (2, True)
    assert "sk-ant" not in ended.err


def test_a_key_that_cannot_be_written_is_never_made(cli, store, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    assert cli("key", "create", "--name", "a", "--to", tmp_path / "file" / "api-key").status == 2
    assert store.read(read_keys)[0] == []


def test_a_key_is_written_through_no_symbolic_link(cli, store, tmp_path) -> None:
    elsewhere, link = tmp_path / "elsewhere", tmp_path / "api-key"
    elsewhere.write_text("")
    link.symlink_to(elsewhere)
    assert cli("key", "create", "--name", "a", "--to", link).status == 2
    assert (elsewhere.read_text(), store.read(read_keys)[0]) == ("", [])


def test_a_file_that_others_could_read_is_its_owners_alone_once_it_holds_a_key(cli, tmp_path) -> None:
    file = tmp_path / "api-key"
    file.write_text("")
    file.chmod(0o644)
    assert cli("key", "create", "--name", "a", "--to", file).status == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

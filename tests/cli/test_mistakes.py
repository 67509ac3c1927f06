"""Seventy mistakes: each is answered in three lines at most by what, which, why and next; nothing is paid."""

import pytest

from cli.mistakes import NOWHERE, Mistake, make_mistake, mistake

EMPTY = {"HOLDFAST_CONFIG": "empty.toml"}
MISTAKES = [
    # where the output goes: found before anything is paid
    mistake("run in.jsonl -o folder", 2, "folder: is a folder", "folder/answers.jsonl"),
    mistake("run in.jsonl -o nowhere/out.jsonl", 2, "there is no folder nowhere", "mkdir"),
    mistake("run in.jsonl -o in.jsonl", 2, "is the input itself", "another"),
    mistake("batch results batch_x -o folder", 2, "batch"),
    # what goes in
    mistake("run missing.jsonl -o out.jsonl", 2, "missing.jsonl", "no such file"),
    mistake("run folder -o out.jsonl", 2, "folder", "is a directory"),
    mistake("run data.csv -o out.jsonl", 2, "data.csv", "none of its columns (text, n)", "--prompt-column 'text'"),
    mistake("run data.csv -o out.jsonl --prompt-column txt", 2, "no column 'txt'", "did you mean 'text'"),
    mistake("run data.csv -o out.jsonl --template {{txt}}", 2, "no column 'txt'", "did you mean 'text'"),
    mistake("run data.csv -o out.jsonl --template {{", 2, "template", "cannot be read", "written twice"),
    mistake("run data.csv -o out.jsonl --template hi --prompt-column text", 2, "--template", "leave one out"),
    mistake("run in.jsonl", 2, "-o", "is missing", "name a file"),
    mistake("run in.jsonl -o out.jsonl --budget 5", 2, "--budget", "no price of openai/gpt-5.4", "price = {{"),
    mistake("run in.jsonl -o out.jsonl --budget 0", 2, "--budget", "0"),
    mistake("run in.jsonl --dry-run --server http://127.0.0.1:1", 69, "the server at http://127.0.0.1:1"),
    mistake("run array.json -o out.jsonl", 2, "json array", "jq"),
    mistake("submit missing.jsonl", 2, "missing.jsonl", "no such file"),
    mistake("ask hi --file missing.txt", 2, "missing.txt", "no such file"),
    mistake("ask hi --file folder", 2, "folder", "is a directory"),
    # models and routes
    mistake("ask hi --model smrt", 2, "no model 'smrt'", "did you mean smart"),
    mistake("ask hi --model nobody/m", 2, "nobody", "providers are"),
    mistake("route open nobody/m", 4, "no route nobody/m", "route list"),
    mistake("lane pause nolane", 4, "no lane nolane", "lane list"),
    # ids
    mistake("job show nojob", 2, "'nojob' is no job id", "32 hex"),
    mistake(f"job show {NOWHERE}", 4, "there is no job", "job list"),
    mistake(f"job wait {NOWHERE}", 4, "there is no job"),
    mistake(f"job cancel {NOWHERE}", 4, "there is no job"),
    mistake("batch show nobatch", 2, "is no batch id"),
    mistake("batch cancel nobatch", 2, "is no batch id"),
    # servers
    mistake("status --server localhost:8700", 2, "no http:// or https://", "http://localhost:8700"),
    mistake("status --server ftp://example.org", 2, "no http:// or https://", "http://example.org"),
    mistake("status", 2, "no http:// or https://", HOLDFAST_URL="localhost:8700"),
    mistake("status --server http://127.0.0.1:1", 69, "127.0.0.1:1", "holdfast_url", "holdfast up"),
    mistake("status --server {other}", 69, "is no holdfast server", "404"),
    mistake("run in.jsonl -o out.jsonl --server {other}", 69, "is no holdfast server"),
    mistake("ask hi --server {other}", 69, "is no holdfast server"),
    mistake("status --server http://127.0.0.1:1/api/v1", 2, "names a page of a server", "write http://127.0.0.1:1"),
    mistake("status --server http://127.0.0.1:1/docs/", 2, "names a page of a server", "write http://127.0.0.1:1"),
    # nothing to ask, nothing to end, names that are nearly right
    mistake("ask  --model smart", 2, "missing argument"),
    mistake("ask -", 2, "standard input", "is empty", "holdfast ask"),
    mistake("down", 4, "no `holdfast up` runs in", "holdfast up --detach"),
    mistake("route open claude-opus-4-8", 4, "no route claude-opus-4-8", "did you mean anthropic/claude-opus-4-8"),
    mistake("lane pause smart", 4, "no lane smart", "did you mean smart.interactive or smart.batch"),
    mistake("run nomodel.jsonl -o out.jsonl", 2, "model: is missing", "--model"),
    mistake("run in.jsonl -o /proc/out.jsonl", 2, "/proc/out.jsonl", "cannot be written", "elsewhere"),
    mistake("run in.jsonl -o out.jsonl --output json", 2, "expected auto", "-o json"),
    mistake("run in.jsonl -o out.jsonl --map smart", 2, "expected old=new", "got 'smart'"),
    mistake("run in.jsonl -o out.jsonl --priority high", 2, "expected interactive or batch", "got 'high'"),
    mistake("run in.jsonl -o out.jsonl --processes 0", 2, "--processes", "greater than or equal to 1"),
    mistake("job list --created-after yesterday", 2, "expected 90m, 2h or 7d ago", "got 'yesterday'"),
    mistake("ask hi --modle smart", 2, "no such option: --modle", "--model"),
    mistake("key revoke nokey", 4, "no key", "key list"),
    mistake("sim break nosuch", 2, "nosuch", "known: anthropic, openai"),
    # no configuration at all
    mistake("run in.jsonl -o out.jsonl", 78, "no provider is configured", "holdfast init", **EMPTY),
    mistake("submit in.jsonl", 78, "no provider is configured", "holdfast init", **EMPTY),
    mistake("run in.jsonl --dry-run", 78, "no provider is configured", "holdfast init", **EMPTY),
    mistake("up", 78, "no provider is configured", "holdfast init", **EMPTY),
    # ports
    mistake("up --port {taken}", 1, "port {taken}", "already in use", "--port"),
    mistake("api --port {taken}", 1, "port {taken}", "already in use", "--port"),
    # storage
    mistake("status", 78, "no.db is no sqlite database", "another file", HOLDFAST_DATABASE_URL="sqlite:///no.db"),
    mistake("submit in.jsonl", 78, "is a folder", "holdfast.db", HOLDFAST_DATABASE_URL="sqlite:///folder"),
    mistake("status", 78, "sqlite:///path", "mysql", HOLDFAST_DATABASE_URL="mysql://x"),
    mistake("submit in.jsonl", 69, "127.0.0.1:1", "nothing was accepted",
            HOLDFAST_DATABASE_URL="postgresql://me@127.0.0.1:1/x"),
    mistake("status", 78, "redis_url", "embedded", HOLDFAST_REDIS_URL="memcached://x"),
    # configuration and options
    mistake("audit --action replay.pausd", 2, "--action", "expected replay.pause", "got 'replay.pausd'"),
    mistake("audit --action nosuch", 2, "--action", "of 27 names such as", "docs/filters.md", "got 'nosuch'"),
    mistake("job list --fault rate_limit", 2, "--fault", "rate_limited", "got 'rate_limit'"),
    mistake("dlq groups --fault billing", 2, "--fault", "names such as", "got 'billing'"),
    mistake("status --config missing.toml", 78, "missing.toml", "no such file"),
    mistake("status --config folder", 78, "folder", "is a directory"),
    mistake("config check --config in.jsonl", 78, "in.jsonl:1", "expected toml"),
    mistake("frobnicate", 2, "no such command 'frobnicate'"),
    mistake("run", 2, "missing argument"),
    mistake("job list --state asleep", 2, "--state", "queued"),
    mistake("dlq replay", 2, "no filter", "--all"),
    mistake("drill run nosuch", 4, "nosuch", "only_route"),
]  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_answered_in_a_few_lines(cli, store, tmp_path, addresses, monkeypatch, mistake: Mistake) -> None:
    make_mistake(cli, store, tmp_path, addresses, monkeypatch, mistake)


def test_there_are_seventy_of_them() -> None:
    assert len(MISTAKES) >= 70

"""``ask`` and ``job wait``: the answer on stdout and status 0, or the reason on stderr and status 3."""

import pytest

from holdfast.cli import wait as waiting_command

LANE = "smart.interactive"


@pytest.fixture
def submitted(cli, prompts) -> str:
    cli("submit", prompts("hello"))
    return cli("job", "list", "--json").json["jobs"][0]["id"]


def test_waiting_for_a_job_that_died_ends_with_status_3(cli, worker, submitted) -> None:
    worker.bury()
    ended = cli("job", "wait", submitted)
    assert (ended.status, ended.out) == (3, "")
    assert "invalid request: the provider said: no such parameter" in ended.err


def test_waiting_for_a_job_that_succeeded_prints_its_answer(cli, worker, submitted) -> None:
    worker.answer()
    ended = cli("job", "wait", submitted)
    assert (ended.status, ended.out) == (0, "HELLO\n")


def test_asking_in_vain_ends_with_status_3(cli, worker, monkeypatch) -> None:
    """A worker beside the command buries the job as soon as it waits."""

    def bury_then_wait(backend, job, timeout, prepared) -> bool:
        worker.bury(LANE)
        return awaited(backend, job, timeout, prepared)

    awaited = waiting_command.await_answer
    monkeypatch.setattr(waiting_command, "await_answer", bury_then_wait)
    ended = cli("ask", "hello", "--model", "smart")
    assert ended.status == 3
    assert "no such parameter" in ended.err

"""What a run costs is told before, while and after it runs, and a budget is never passed."""

import threading

import pytest

from cli.conftest import jsonl
from holdfast.cli.budget import Budget, BudgetReached
from holdfast.cli.jsonl_input import InputLine
from holdfast.cli.model_choice import ModelChoice
from holdfast.client.cost_estimate import estimate_items
from holdfast.client.submit_request import JobDefaults
from holdfast.config import Settings, load
from holdfast.model.records import JobFilter
from holdfast.model.route import Api, Plan, Price, Route
from holdfast.store.jobs import count_jobs
from producing import served

PRICED = 'routes = [{ provider = "anthropic", model = "claude-opus-4-8", price = { input = 5.0, output = 25.0 } }]'
ROUTE = Route("a", "m", Api.ANTHROPIC, "m", ("main",), price=Price(input=0.0, output=10_000.0))  # a cent a token


@pytest.fixture
def priced(settings: Settings, tmp_path) -> None:
    """Every route of the configuration has a price."""
    file = tmp_path / "holdfast.toml"
    file.write_text(file.read_text().partition("[models.smart]")[0] + f"[models.smart]\n{PRICED}\n")


def test_a_dry_run_counts_jobs_tokens_and_prices_and_submits_nothing(cli, store, prompts) -> None:
    source = prompts("four characters a token.", '{"model": "smart", "prompt": "a", "max_tokens": 100}', "? no json")
    ended = cli("run", source, "--dry-run", "--json")
    assert ended.status == 3
    assert (ended.json["jobs"], ended.json["invalid"], ended.json["known"]) == (2, 1, 0)
    (model,) = ended.json["models"]
    assert (model["model"], model["jobs"], model["output_tokens_most"]) == ("smart", 2, 1_100)
    first, second = model["routes"]
    assert first["usd_most"] - first["usd_least"] == pytest.approx(1_100 * 25 / 1e6)
    assert (second["route"], second["usd_least"], second["usd_most"]) == ("openai/gpt-5.4", None, None)
    drawn = cli("run", source, "--dry-run").out
    assert "price unknown" in drawn
    assert max(map(len, drawn.splitlines())) <= 80
    assert store.read(count_jobs, JobFilter()) == 0


def test_a_dry_run_says_what_was_submitted_before(cli, worker, prompts) -> None:
    source = prompts("one", "two")
    cli("submit", source)
    assert cli("run", source, "--dry-run", "--json").json["known"] == 2


def test_what_was_spent_is_told_while_it_runs_and_expected_for_the_whole(cli, worker, prompts, tmp_path) -> None:
    source = prompts("one", "two")
    cli("submit", source)
    worker.answer(jobs=1)
    answering = threading.Timer(0.5, worker.answer)
    answering.start()
    ended = cli("run", source, "-o", tmp_path / "out.jsonl")
    answering.join()
    assert ended.status == 0
    assert "1/2 done" in ended.err
    assert "of about $" in ended.err


def test_lines_are_written_as_they_end_with_follow(cli, worker, prompts, tmp_path) -> None:
    source, out = prompts("? no json", "one", "two", "three"), tmp_path / "out.jsonl"
    cli("submit", source)
    jobs = worker.claim()
    worker.finish_with_reply(jobs[1:])
    answering = threading.Timer(0.5, lambda: worker.finish_with_reply(jobs[:1]))
    answering.start()
    ended = cli("run", source, "-o", out, "--follow")
    answering.join()
    assert ended.status == 3
    assert [line["custom_id"] for line in jsonl(out)] == [None, "c2", "c3", "c1"]
    assert not out.with_name("out.jsonl.part").exists()


@pytest.mark.parametrize("through_server", [False, True])
def test_a_budget_pauses_before_it_is_passed_and_a_larger_one_goes_on(
    cli, worker, store, prompts, tmp_path, priced, monkeypatch, through_server
) -> None:
    if through_server:
        with served(load(tmp_path / "holdfast.toml")) as url:
            monkeypatch.setenv("HOLDFAST_URL", url)
            check_budget(cli, worker, store, prompts, tmp_path)
    else:
        check_budget(cli, worker, store, prompts, tmp_path)


def check_budget(cli, worker, store, prompts, tmp_path) -> None:
    source, out = prompts(*(f"prompt {n}" for n in range(8))), tmp_path / "out.jsonl"
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.05):
            worker.answer()

    working = threading.Thread(target=work)
    working.start()
    try:
        paused = cli("run", source, "-o", out, "--budget", "0.0255")  # each may cost 0.025, and costs 0.00015
        assert paused.status == 75, paused.err
        assert "paused before the budget of $0.0255 would be passed" in paused.err
        done = store.read(count_jobs, JobFilter())
        assert done > 0
        assert not out.exists()
        assert len(jsonl(tmp_path / "out.jsonl.part")) == done
        ended = cli("run", source, "-o", out, "--budget", "10")
    finally:
        stop.set()
        working.join()
    assert ended.status == 0, ended.err
    assert [line["custom_id"] for line in jsonl(out)] == [f"c{n}" for n in range(8)]
    assert store.read(count_jobs, JobFilter()) == 8


class Run:
    """A batch whose jobs end when they are waited for, each at ``cost`` USD; a job may cost a dollar at most."""

    def __init__(self, usd: float, cost: float) -> None:
        self.spent, self.live, self.cost, self.worst = 0.0, 0, cost, 0.0
        plan = Plan("smart", (ROUTE,))
        self.budget = Budget(
            usd,
            JobDefaults("smart"),
            ModelChoice(),
            lambda items, defaults: estimate_items(items, defaults, lambda _: plan),
            lambda: self.spent,
            lambda: self.live,
            self.wait,
        )

    def wait(self) -> None:
        self.live, self.spent = self.live - 1, self.spent + self.cost

    def submit(self, lines: int) -> int:
        """Submit as many of ``lines`` as the budget lets through."""
        passed = 0
        text = b'{"prompt": "a", "max_tokens": 100}'
        try:
            while passed < lines:
                now = self.budget.admit([InputLine(n, n + 1, text) for n in range(passed, lines)])
                passed, self.live = passed + now, self.live + now
                self.worst = max(self.worst, self.spent + self.live * 1.0)
        except BudgetReached:
            pass
        return passed


@pytest.mark.parametrize(("usd", "cost", "passed"), [(5.0, 1.0, 5), (4.95, 0.1, 40), (0.5, 0.1, 0), (50.0, 1.0, 20)])
def test_even_if_every_job_under_way_ends_as_dear_as_it_may_the_budget_holds(usd, cost, passed) -> None:
    run = Run(usd, cost)
    assert run.submit(20 if usd == 50.0 else 100) == passed
    assert run.worst <= usd

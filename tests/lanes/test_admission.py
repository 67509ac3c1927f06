"""The gate's scripts do what ``policy/admission.py`` says: random cases on a real server, every answer and every key.

A case is made from its number alone, and a difference names it. HOLDFAST_ADMISSION_CASES asks for more cases than
``CASES``; HOLDFAST_ADMISSION_FROM for others, from that number on.
"""

import os
from collections.abc import Callable, Iterable

import pytest

from holdfast.lanes import Connection
from holdfast.lanes.lua import source
from lanes.gate_cases import case
from lanes.gate_player import SCRIPTS, Player

CASES = 20_000
BLOCKS = 8  # tests that share the cases, so that they may run beside each other
AT_ONCE = 100  # cases in one pipeline
FEW = 5_000  # cases within which every line of PLANTED is found

FIRST = int(os.environ.get("HOLDFAST_ADMISSION_FROM", "0"))
COUNT = max(CASES, int(os.environ.get("HOLDFAST_ADMISSION_CASES", "0")))

# One line of a script and what it might have been by mistake.
PLANTED = {
    "a route is avoided a moment too long": ("if until_ > now then", "if until_ >= now then"),
    "a slot too many": ("target.slots.used >= limit", "target.slots.used > limit"),
    "a ramp rounded up": ("math.floor(breaker.ramp)", "math.ceil(breaker.ramp)"),
    "small jobs starve a large one": ("short_grows and not probe", "short_grows and not probe bucket.short = nil"),
    "nobody waits for a rate to grow": ("/ 1000 <= max_wait then", "/ 1000 < 0 then"),
    "the queue at a rate that grows is not counted": ("(turn.bucket.queued or 0) + 1", "0"),
    "a limit that was met counts as one that grows": ('raw[22] == "growing" or', 'raw[22] == "learned" or'),
    "tokens are waited for as a rate that grows": ("bucket_wait(bucket, {0, costs[2], costs[3]}) == 0", "true"),
    "a probe is waited for": ("bucket.short_grows and not probe", "bucket.short_grows"),
    "one job too many looked at": ("#skipped >= look then", "#skipped > look then"),
    "jobs passed over change places": ("for i = #skipped, 1, -1 do", "for i = 1, #skipped do"),
    "a second permit probes": ("if probe and held then", "if false then"),
    "a job probes again though another one waits": ("local failed = probe", "local failed = false"),
    "who failed last asks again first": ("return a.failed_at < b.failed_at", "return a.failed_at > b.failed_at"),
    "a job that probed before never probes again": ("if place(job.id, job.need, true) then", "if false then"),
    "a credential is not avoided": ("need.avoid[target.credential] or 0", "0"),
    "each probe is a new epoch": ('if breaker.state == "open" then breaker.epoch', "if true then breaker.epoch"),
    "a sound credential goes before one that is due": ("return target.breakers[2].until_ end", "return math.huge end"),
    "a lost breaker counts as closed": ('state = "open", epoch = math.floor(now)', 'state = "closed", epoch = 0'),
    "units that are not there": ("if missing > 1e-9 then", "if missing > 0.1 then"),
    "a large job waits for ever": ("math.min(costs[i], bucket.capacity[i]) - bucket", "costs[i] - bucket"),
    "a pause that is over before its time": ("bucket.paused_until = math.max(", "bucket.paused_until = math.min("),
    "a wait that is not believed is slept through": ("if seconds > TRUSTED_PAUSE then", "if false then"),
    "more than one call asks": (
        "bucket.paused_until, bucket.changed = bucket.now_ms + bucket.ask_after",
        "local _, _ = 0",
    ),
    "a reply does not end such a wait": ("if call.pause < 0 then", "if false then"),
    "a request given back twice": ('if call.how == "drop" then', 'if call.how ~= "keep" then'),
    "a probe of another worker freed": ('redis.call("HGET", breaker, "probe") == permit', "true"),
}


def differences(connection: Connection, cases: Iterable[int], text: Callable[[str], str] = source) -> list[str]:
    """Play cases on a server with the scripts that ``text`` finds, and tell what it did otherwise than policy."""
    client = connection.sync()
    shas = {name: client.script_load(text(name)) for name in SCRIPTS}
    players = [Player(case(number), shas) for number in cases]
    pipe = client.pipeline(transaction=False)
    for player in players:
        for command in player.commands:
            pipe.execute_command(*command)
    answers = iter(pipe.execute())
    return [found for player in players for found in player.differences([next(answers) for _ in player.commands])]


def groups(numbers: range) -> Iterable[range]:
    return (numbers[first : first + AT_ONCE] for first in range(0, len(numbers), AT_ONCE))


@pytest.mark.parametrize("block", range(BLOCKS))
def test_every_case_of_the_gate_goes_as_policy_says(real: Connection, block: int) -> None:
    for numbers in groups(range(FIRST + block, FIRST + COUNT, BLOCKS)):
        found = differences(real, numbers)
        assert not found, "\n".join(found[:5])


@pytest.mark.parametrize("mistake", PLANTED)
def test_a_changed_line_is_found(real: Connection, mistake: str) -> None:
    right, wrong = PLANTED[mistake]
    assert any(right in source(name) for name in SCRIPTS)
    planted = (
        differences(real, numbers, lambda name: source(name).replace(right, wrong)) for numbers in groups(range(FEW))
    )
    assert any(planted)

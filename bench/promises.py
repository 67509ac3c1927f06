"""What is promised, and the command that shows it: the rows of docs/guarantees.md, and what is not promised."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Promise:
    """``bench`` starts the name of the measurement that shows it, or is the path of the tests; ``command`` runs it.

    ``minutes`` is how long that may take at most. ``figures`` are those that the page shows; none: all.
    """

    what: str
    bench: str
    command: str
    figures: tuple[str, ...] = ()
    minutes: float = 10.0


def shown(what: str, script: str, bench: str, *figures: str, minutes: float = 10.0) -> Promise:
    """A promise that a script of bench/ measures."""
    return Promise(what, bench, f"python bench/{script}", figures, minutes)


def proved(what: str, path: str, minutes: float = 10.0, *, chaos: bool = False) -> Promise:
    """A promise that tests show; ``chaos``: those that `make test` leaves out."""
    return Promise(what, path, f"pytest {'-m chaos ' if chaos else ''}{path}", (), minutes)


PROMISES: dict[str, tuple[Promise, ...]] = {
    "Nothing is lost, nothing is done twice": (
        proved(
            "A worker, a producer, the API or a sweeper killed with kill -9 at any named step loses no job and repeats"
            " no finished call. A job that kills its worker three times is buried as `poison`; others do not suffer.",
            "tests/system/test_crash_points.py",
            minutes=30,
            chaos=True,
        ),
        proved(
            "A worker that is told to stop starts nothing new, and finishes or hands back what it holds within its"
            " grace period; of one that is killed, others take over. Two processes share limits and probes.",
            "tests/system/test_pool.py",
        ),
        shown(
            "Redis emptied in the middle of a run loses nothing and repeats no finished call.",
            "kill_and_flush.py flush",
            "FLUSHALL",
        ),
        shown("A worker killed with its calls loses nothing.", "kill_and_flush.py kill", "kill -9"),
        shown(
            "Its calls are made again within 30 s, whether it was the only worker or one of two.",
            "resume.py",
            "resume after kill -9",
            minutes=20,
        ),
        shown(
            "The same on Postgres.",
            "resume.py --database postgres",
            "postgres: resume after kill -9",
            minutes=20,
        ),
        proved(
            "A worker that stood still sends no burst when it goes on: no provider sees more than limit and burst.",
            "tests/system/test_freezes.py",
        ),
        Promise(
            "A soak with a random fault every few seconds ends with every invariant intact, memory and files flat.",
            "soak",
            "make soak ARGS=--minutes=10",
            minutes=20,
        ),
        Promise(
            "The same on Postgres.",
            "postgres: soak",
            'make soak ARGS="--minutes 10 --database postgres"',
            minutes=20,
        ),
        proved(
            "The equation of the ledger holds (accepted = ended + live), and one that is broken names who broke it.",
            "tests/store/test_ledger.py",
        ),
        proved(
            "Messages in Redis that are garbage, forged, repeated or out of order cost one execution or none.",
            "tests/lanes/test_message_signer.py",
        ),
        proved(
            "Garbage in any key of ours holds nobody up: it is deleted, counted, and rebuilt from what is known.",
            "tests/lanes/test_garbage.py",
        ),
        proved(
            "What the audit finds is what the providers saw: planted bugs are found.", "tests/lab/test_ledger_audit.py"
        ),
    ),
    "Redis and SQL may fail": (
        proved(
            "Redis killed with or without its data, flushed every five seconds, read-only, full, stalled, evicting:"
            " jobs are accepted meanwhile, nothing is lost, and `readyz` and `status` say what is wrong.",
            "tests/system/test_redis_faults.py",
            minutes=30,
            chaos=True,
        ),
        proved(
            "Sentinel, Cluster and TLS: every script's keys share a slot, and a failover costs a pause.",
            "tests/lanes/test_topology.py",
        ),
        proved(
            "SQLite locked or on a full disk; Postgres restarted, locked or on a full disk: finished results are kept"
            " and written later, no call starts meanwhile, clients get 503 with Retry-After and never a 2xx that is not"
            " durable, and work goes on by itself.",
            "tests/system/test_sql_away.py",
        ),
        proved(
            "Code of the last release works on the new schema, also while it is upgraded.",
            "tests/store/test_old_code.py",
        ),
        shown(
            "Old results really go, in small transactions, and starve nobody.", "retention.py", "retention", minutes=15
        ),
    ),
    "A million waiting jobs": (
        shown(
            "A job costs at a million what it costs at a thousand: its way through the gate and SQL, the p99 of a"
            " submit, status, lanes and metrics, the memory of Redis and of workers. SQLite:",
            "million.py --database sqlite",
            "1,000,000 waiting, sqlite",
            minutes=25,
        ),
        shown("The same on Postgres:", "million.py --database postgres", "1,000,000 waiting, postgres", minutes=25),
    ),
    "An outage is a backlog and a detour": (
        shown("An outage of 15 s costs at most a tenth of the ideal time.", "outage.py", "outage of 15 s, one"),
        shown("With a second provider it costs no job its turn.", "outage.py --second", "outage of 15 s, two"),
        shown("One probe in the whole fleet asks a provider that failed.", "probe.py", "one probe"),
        shown("A rate limit is used fully, without running into it.", "steady.py", "steady, 1 process(es), limit conf"),
        shown(
            "The same by four processes, and learned from headers.",
            "steady.py --processes 4 --limit headers",
            "steady, 4 process(es), limit headers",
        ),
        shown("And learned from refusals alone.", "steady.py --limit unknown", "steady, 1 process(es), limit unknown"),
        shown(
            "Real outages, played through the real pool in compressed time, cost no more than their bars allow, and"
            " clients, SQL and providers tell the same of them.",
            "drill_real.py",
            "real drill",
            minutes=120,
        ),
        shown(
            "Every failure is understood from bytes on the wire, for each API.", "fault_table.py", "rows of the table"
        ),
        shown("No prompt loses anything without a word on its way to another API.", "roundtrips.py", "mapping there"),
        shown(
            "Every published outage keeps within its bars in virtual time, over 20 seeds.", "scenarios.py", "scenarios"
        ),
        shown("The drill sees eleven planted bugs, each by the promise that it breaks.", "planted.py", "planted"),
        shown(
            "The drill runs at least 10,000 times as fast as real time, and a thousand rough hours break no promise.",
            "drill.py",
            "drill",
            minutes=20,
        ),
        proved(
            "A key that dies and one that appears: picked up within 5 s, no restart, nothing dead. A wave of 401s on"
            " valid keys parks them, buries nothing, and ends without a person.",
            "tests/system/test_credentials.py",
        ),
        proved(
            "A provider that hangs, resets, trickles for ever, sends half, HTML, wrong JSON, a gigabyte, or a redirect:"
            " the right fault within the deadline, in bounded memory.",
            "tests/providers/test_failures.py",
        ),
    ),
    "Many hosts": (
        proved(
            "Any link between a worker and Redis, SQL or a provider may break, one way, both or again and again:"
            " nothing is lost, and work goes on within 30 s after it is back. A host that alone cannot reach a"
            " provider opens no breaker of the fleet's. Clocks two minutes off do no harm.",
            "tests/hosts",
            minutes=20,
            chaos=True,
        ),
        shown(
            "One Redis bears 1,000 workers.",
            "many_workers.py --workers 1000",
            "many workers",
            "idle: Redis CPU",
            "idle: Redis CPU a look",
            "busy: jobs a second",
            "busy: Redis CPU a job",
        ),
    ),
    "Nothing is let in or out that should not be": (
        proved("Keys by reference only; none in SQL, Redis, logs or messages.", "tests/config/test_secrets.py"),
        proved("Tokens that processes share are encrypted at rest.", "tests/credentials/test_token_cache.py"),
        proved("Each cloud gets its own login and no other.", "tests/providers/test_clouds.py"),
        proved(
            "A configuration that is wrong is refused with file, line, key and the nearest valid name.",
            "tests/config/test_load.py",
        ),
    ),
    "What it costs": (
        shown("The gate takes at most 0.1 ms of a worker's CPU for a job, whatever waits.", "gate.py", "gate"),
        shown("A job is submitted, claimed and settled in groups.", "store.py", "store"),
        shown("The pool adds less than 0.5 ms of CPU to a bare SDK call.", "noop.py", "no-op cost"),
        shown("1,000 calls in flight in one process, nearly as fast as a bare loop.", "in_flight.py", "1000 in flight"),
        shown("`holdfast --help` answers at once.", "help.py", "holdfast --help"),
    ),
}

INTRODUCTION = """\
# What is promised, and what was measured

<!-- Written by `python bench/guarantees.py --write` from figures.jsonl. Change those, not this page. -->

*Accepted* means that `submit` returned, or that the server answered 2xx. From then on a job ends in exactly one
record: a result, or the reason why there is none. `holdfast ledger` computes that equation afresh on a live system.

Commands start in the root of the repository, with `.venv/bin` on the PATH. `python bench/guarantees.py --measure` runs
them one after another and writes this page. A bar that was missed is shown as such.
"""
NOT_PROMISED = """\
## What is not promised

- **A call whose answer was lost may have been billed.** A timeout or a cut connection after the request was sent, or a
  worker killed while it waited: nobody but the provider knows whether the call ran. Such attempts are recorded as
  `unknown`, counted (at most eight to a job), and listed by the ledger. The job is called again.
- **Not exactly one call, but exactly one result.** At most (hard kills times calls in flight in the killed process) +
  (ambiguous timeouts and resets) calls are repeated.
- **A finished result is kept in memory while SQL is away**, and as long as its process lives. A process that is told to
  stop meanwhile tries for a minute more; what it cannot write then is lost with it, and those jobs are called again. So
  are those of a process that is killed meanwhile.
- **No order between jobs.** Interactive lanes go ahead of batch lanes, and the oldest usually first.
- **No result sooner than a provider gives one.** With every route of a plan down, its jobs wait; those with a deadline
  expire at it.
- **Durability ends where the database's does.** SQLite is synced at every commit; a Postgres without `fsync` or a disk
  that lies is beyond us. A Postgres whose log has no room stops by itself, and its operator has to start it again.
- **A host alone in a fleet counts as the fleet.** Its own broken link then looks as a provider's outage does.
- **The ledger reads everything.** At a million jobs that takes seconds; it looks at one snapshot and holds up nobody.
"""

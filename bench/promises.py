"""What is promised, and the command that shows it: the rows of docs/guarantees.md, and what is not promised."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Promise:
    """``name`` is one line of at most 100 characters, ``what`` tells more, where there is more to tell.

    ``bench`` starts the name of the measurement that shows it, or is the path of the tests; ``command`` runs it.
    ``minutes`` is how long that may take at most. ``figures`` are those that the page shows; none: all.
    """

    name: str
    bench: str
    command: str
    what: str = ""
    figures: tuple[str, ...] = ()
    minutes: float = 10.0


def shown(name: str, script: str, bench: str, *figures: str, what: str = "", minutes: float = 10.0) -> Promise:
    """A promise that a script of bench/ measures."""
    return Promise(name, bench, f"python bench/{script}", what, figures, minutes)


def proved(name: str, path: str, what: str = "", minutes: float = 10.0, *, chaos: bool = False) -> Promise:
    """A promise that tests show; ``chaos``: those that `make test` leaves out."""
    return Promise(name, path, f"pytest {'-m chaos ' if chaos else ''}{path}", what, (), minutes)


PROMISES: dict[str, tuple[Promise, ...]] = {
    "Nothing is lost, nothing is done twice": (
        proved(
            "A process killed with kill -9 at any step loses no job and repeats no finished call.",
            "tests/system/test_crash_points.py",
            "A worker, a producer, the API or a sweeper, at every named step. A job that kills its worker three times"
            " is buried as `poison`; others do not suffer.",
            minutes=30,
            chaos=True,
        ),
        proved(
            "A worker that is told to stop finishes or hands back what it holds within its grace period.",
            "tests/system/test_pool.py",
            "It starts nothing new. Of one that is killed, others take over. Two processes share limits and probes.",
        ),
        shown(
            "Redis emptied in the middle of a run loses nothing and repeats no finished call.",
            "kill_and_flush.py flush",
            "FLUSHALL",
        ),
        shown("A worker killed with its calls loses nothing.", "kill_and_flush.py kill", "kill -9"),
        shown(
            "The calls of a killed worker are made again within 30 s.",
            "resume.py",
            "resume after kill -9",
            what="Whether it was the only worker or one of two.",
            minutes=20,
        ),
        shown(
            "On Postgres, too, they are made again within 30 s.",
            "resume.py --database postgres",
            "postgres: resume after kill -9",
            minutes=20,
        ),
        proved(
            "A worker that was frozen sends no burst when it goes on.",
            "tests/system/test_freezes.py",
            "No provider sees more than limit and burst.",
        ),
        Promise(
            "A soak with a random fault every few seconds ends with every invariant intact.",
            "soak",
            "make soak ARGS=--minutes=10",
            "Memory and open files stay flat.",
            minutes=20,
        ),
        Promise(
            "A soak on Postgres ends as well.",
            "postgres: soak",
            'make soak ARGS="--minutes 10 --database postgres"',
            minutes=20,
        ),
        proved(
            "The ledger's equation holds (accepted = ended + live); if it breaks, it names who broke it.",
            "tests/store/test_ledger.py",
        ),
        proved(
            "Messages that are garbage, forged, repeated or out of order cost one execution or none.",
            "tests/lanes/test_message_signer.py",
        ),
        proved(
            "Garbage in any key of ours in Redis holds nobody up.",
            "tests/lanes/test_garbage.py",
            "It is deleted, counted, and rebuilt from what is known.",
        ),
        proved(
            "What the audit finds is what the providers saw: planted bugs are found.", "tests/lab/test_ledger_audit.py"
        ),
    ),
    "Redis and SQL may fail": (
        proved(
            "Redis may be killed, flushed, read-only, full, stalled or evicting: nothing is lost.",
            "tests/system/test_redis_faults.py",
            "With or without its data, flushed every five seconds. Jobs are accepted meanwhile, and `readyz` and"
            " `status` say what is wrong.",
            minutes=30,
            chaos=True,
        ),
        proved(
            "Sentinel, Cluster and TLS: every script's keys share a slot, and a failover costs a pause.",
            "tests/lanes/test_topology.py",
        ),
        proved(
            "SQL may be locked, full or restarting: finished results are kept and written later.",
            "tests/system/test_sql_away.py",
            "SQLite and Postgres. No call starts meanwhile, clients get 503 with Retry-After and never a 2xx that is"
            " not durable, and work goes on by itself.",
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
            "A job costs at a million what it costs at a thousand, on SQLite.",
            "million.py --database sqlite",
            "1,000,000 waiting, sqlite",
            what="Its way through the gate and SQL, the p99 of a submit, status, lanes and metrics, the memory of Redis"
            " and of workers.",
            minutes=25,
        ),
        shown(
            "On Postgres, too, it costs no more at a million.",
            "million.py --database postgres",
            "1,000,000 waiting, postgres",
            minutes=25,
        ),
    ),
    "An outage is a backlog and a detour": (
        shown("An outage of 15 s costs at most a tenth of the ideal time.", "outage.py", "outage of 15 s, one"),
        shown("With a second provider an outage costs no job its turn.", "outage.py --second", "outage of 15 s, two"),
        shown("One probe in the whole fleet asks a provider that failed.", "probe.py", "one probe"),
        shown("A rate limit is used fully, without running into it.", "steady.py", "steady, 1 process(es), limit conf"),
        shown(
            "Four processes together use a limit as fully, and learn it from headers.",
            "steady.py --processes 4 --limit headers",
            "steady, 4 process(es), limit headers",
        ),
        shown(
            "A limit that nobody tells is learned from refusals alone.",
            "steady.py --limit unknown",
            "steady, 1 process(es), limit unknown",
        ),
        shown(
            "Real outages, played through the real pool in compressed time, keep within their bars.",
            "drill_real.py",
            "real drill",
            what="And clients, SQL and providers tell the same of them.",
            minutes=120,
        ),
        shown(
            "Every failure is understood from bytes on the wire, for each API.", "fault_table.py", "rows of the table"
        ),
        shown("No prompt loses anything without a word on its way to another API.", "roundtrips.py", "mapping there"),
        shown(
            "Every published outage keeps within its bars in virtual time, over 20 seeds.", "scenarios.py", "scenarios"
        ),
        shown("The drill sees fourteen planted bugs, each by the promise that it breaks.", "planted.py", "planted"),
        shown(
            "A thousand rough hours in virtual time break no promise.",
            "drill.py",
            "drill",
            what="The drill runs at least 4,000 times as fast as real time.",
            minutes=20,
        ),
        proved(
            "Which job gets which permit is one rule, in Redis as in the simulation.",
            "tests/lanes/test_admission.py",
            "20,000 random cases on a real server, answer by answer and key by key; a changed line is found.",
        ),
        proved(
            "A key that dies parks its jobs, one that appears is picked up within 5 s, nothing is buried.",
            "tests/system/test_credentials.py",
            "A wave of 401s on valid keys parks them, too, and ends without a person or a restart.",
        ),
        proved(
            "A provider that hangs, resets, trickles or sends garbage becomes the right fault.",
            "tests/providers/test_failures.py",
            "Half an answer, HTML, wrong JSON, a gigabyte, a redirect: within the deadline, in bounded memory.",
        ),
    ),
    "Many hosts": (
        proved(
            "Any link between hosts may break, one way, both or again and again: nothing is lost.",
            "tests/hosts",
            "Between a worker and Redis, SQL or a provider. Work goes on within 30 s after it is back. A host that"
            " alone cannot reach a provider opens no breaker of the fleet's. Clocks two minutes off do no harm.",
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

A line each, and what its last measurement said; below, the figures and the commands that measure them again.
"""
COMMANDS = """\
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

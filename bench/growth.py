"""What a job costs while a thousand, a hundred thousand and a million others wait: `python bench/growth.py`.

A job's way is refill, fetch, claim, settle and acknowledge, in groups of 50 (as in million.py, which looks at more than
that). The sides take turns, so that whatever else the machine does meets all. On Postgres the same is done once more
while somebody's transaction stays open: what changes meanwhile leaves rows behind that no vacuum may remove, so that a
queue that looks for its oldest jobs has more and more of them to pass.

python bench/growth.py [--database sqlite|postgres] [--sizes 1000,100000,1000000] [--rounds 6]
"""

import argparse
import signal
import statistics
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import psycopg

from databases import add_choice, named
from figures import Figure, show
from million import GROUP, GROUPS, Side, fill, one_round, opened

SIZES = "1000,100000,1000000"
MORE = 1.1  # of what a job costs with the fewest waiting
HELD_ROUNDS = 15  # while a transaction is held; the last third of them counts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default=SIZES)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--held-rounds", type=int, default=HELD_ROUNDS)
    add_choice(parser)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to stop"))  # and leave nothing behind
    sizes = [int(size) for size in given.sizes.split(",")]
    with ExitStack() as stack:
        sides = [stack.enter_context(opened(given.database)) for _ in sizes]
        filling = [fill(side.rig, size)[0].value for side, size in zip(sides, sizes, strict=True)]
        quiet = turns(sides, given.rounds)
        figures = compared("", sizes, quiet)
        if given.database == "postgres":
            figures += held(sides, sizes, quiet, given.held_rounds)
    figures.append(Figure("filling", filling[-1], None, "jobs/s"))
    return show(named(f"growth to {sizes[-1]:,} waiting", given.database), figures)


def turns(sides: Sequence[Side], rounds: int) -> list[Side]:
    """What was measured on each side, afresh."""
    fresh = [Side(side.rig, side.api, side.environment) for side in sides]
    for _ in range(rounds):
        for side in fresh:
            one_round(side)
    return fresh


def compared(when: str, sizes: Sequence[int], sides: Sequence[Side]) -> list[Figure]:
    """The cost of a job at each size, and over that at the smallest one."""
    costs = [side.fetch * 1000 for side in sides]
    submits = [1000 * statistics.median(side.submits) for side in sides]
    figures = [
        Figure(f"a job{when}, {size:,} waiting over {sizes[0]:,}", cost / costs[0], ("≤", MORE))
        for size, cost in zip(sizes[1:], costs[1:], strict=True)
    ]
    for size, cost, submit in zip(sizes, costs, submits, strict=True):
        figures.append(Figure(f"{size:,} waiting{when}: a job", cost, None, "ms"))
        figures.append(Figure(f"{size:,} waiting{when}: a submit, p50", submit, None, "ms"))
    return figures


def held(sides: Sequence[Side], sizes: Sequence[int], quiet: Sequence[Side], rounds: int) -> list[Figure]:
    """The same while transactions are held open, after so many jobs ended meanwhile."""
    last = max(1, rounds // 3)
    with ExitStack() as stack:
        for side in sides:
            stack.enter_context(open_transaction(side.environment["HOLDFAST_DATABASE_URL"]))
        turns(sides, rounds - last)
        late = turns(sides, last)
    jobs = (rounds - last) * GROUP * GROUPS
    when = f", transaction held for {jobs:,} jobs"
    ratios = [
        Figure(f"a job{when}, {size:,} waiting, over before", now.fetch / then.fetch)
        for size, now, then in zip(sizes, late, quiet, strict=True)
    ]
    return [*compared(when, sizes, late), *ratios]


@contextmanager
def open_transaction(url: str) -> Iterator[None]:
    """A transaction of somebody who looked at something and left it open."""
    with psycopg.connect(url) as connection:
        connection.execute("set transaction isolation level repeatable read")
        connection.execute("select count(*) from pg_class")
        connection.execute("select pg_current_xact_id()")
        yield
        connection.rollback()


if __name__ == "__main__":
    sys.exit(main())

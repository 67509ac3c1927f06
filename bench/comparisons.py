"""The parts of `make bench`: what is compared, and the commands that do it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """A script of bench/ with its options. ``tiny`` are options that let it end within seconds, to see that it works.

    ``minutes`` is how long it may take at most; then it is stopped, with all that it started.
    """

    words: str
    tiny: str
    minutes: float

    @property
    def script(self) -> str:
        return self.words.split(" ", 1)[0]


@dataclass(frozen=True, slots=True)
class Part:
    """``name`` chooses it on the command line, ``title`` is its heading; ``peers`` are environments that it needs."""

    name: str
    title: str
    commands: tuple[Command, ...]
    peers: tuple[str, ...] = ()


IN_FLIGHT = "--jobs 40 --in-flight 10 --rounds 1"

PARTS = (
    Part(
        "loops",
        "A bare asyncio loop over the same SDK",
        (
            Command("in_flight.py --in-flight 1000 --latency 1 --jobs 5000", f"{IN_FLIGHT} --latency 0.1", 2.5),
            Command("in_flight.py --in-flight 100 --latency 1 --jobs 300 --rounds 2", IN_FLIGHT, 1.5),
            Command("in_flight.py --in-flight 1000 --latency 0 --jobs 3000", IN_FLIGHT, 2),
            Command("in_flight.py --in-flight 100 --latency 0 --jobs 3000", IN_FLIGHT, 2),
        ),
    ),
    Part(
        "queues",
        "Task queues",
        (Command("queues.py", "--in-flight 10 --jobs 40 --latency 0.1", 5),),
        ("dramatiq", "celery", "arq", "taskiq"),
    ),
    Part(
        "clients",
        "Client libraries at a limit and in an outage",
        (
            Command("client_libraries.py --task limit", "--jobs 60", 3),
            Command("client_libraries.py --task outage", "--jobs 60", 4),
        ),
        ("litellm", "curator"),
    ),
    Part(
        "paths",
        "The way of one job",
        (
            Command("submit.py", "--jobs 50 --batch 100 --rounds 1", 1.5),
            Command("latency.py", "--picked 10 --seconds 1 --rounds 1", 2),
            Command("store.py --jobs 10000", "--jobs 1000", 1.5),
            Command("gate.py --jobs 5000", "--jobs 200", 1.5),
            Command("noop.py", "--jobs 50 --rounds 1", 1.5),
        ),
    ),
    Part(
        "growth-sqlite",
        "Growth, on SQLite",
        (Command("growth.py --database sqlite", "--sizes 1000,2000 --rounds 1", 5),),
    ),
    Part(
        "growth-postgres",
        "Growth, on Postgres",
        (Command("growth.py --database postgres", "--sizes 1000,2000 --rounds 1 --held-rounds 2", 5),),
    ),
    Part("processes", "Processes", (Command("processes.py", "--jobs 50 --rounds 1", 3),)),
    Part("memory", "Memory", (Command("run_memory.py", "--lines 100", 5),)),
)

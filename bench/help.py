"""How soon `holdfast --help` answers, and whether it imports an SDK."""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

from figures import Figure, show

HOLDFAST = Path(sys.executable).with_name("holdfast")
SDKS = {"anthropic", "openai"}


def seconds() -> float:
    began = time.perf_counter()
    subprocess.run([HOLDFAST, "--help"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def imported() -> set[str]:
    """Top-level packages that the command imports."""
    command = [sys.executable, "-X", "importtime", HOLDFAST, "--help"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in said.splitlines()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    seconds()  # warms up the file cache
    figures = [
        Figure("holdfast --help, median", statistics.median(seconds() for _ in range(rounds)), ("<", 0.5), "s"),
        Figure("SDKs imported", len(imported() & SDKS), ("=", 0)),
    ]
    return show("holdfast --help", figures)


if __name__ == "__main__":
    sys.exit(main())

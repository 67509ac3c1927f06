"""Does the drill see? Thirteen bugs, each in the place of one function of the real policy, and what is said of each."""

import sys
from pathlib import Path

from figures import Figure, show

sys.path[0] = str(Path(__file__).parent.parent / "tests")  # for bench/, whose drill.py would hide the tests' folder

from lab.simulation.planted import BUGS  # noqa: E402  bench/ is no package


def main() -> int:
    said: dict[str, list[str]] = {}
    seen = clean = 0
    for bug in BUGS:
        with_it, without = bug.run(), bug.without()
        said[bug.name] = sorted(with_it.violations)
        seen += any(bug.sees in sentence for sentence in with_it.violations)
        clean += without.holds
    figures = [
        Figure("planted bugs that were seen", seen, ("=", len(BUGS))),
        Figure("of them clean without the bug", clean, ("=", len(BUGS))),
    ]
    return show("planted", figures, said=said)


if __name__ == "__main__":
    sys.exit(main())

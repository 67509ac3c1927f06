"""Every field and arm of the SDKs' request types through the mapping, alone and by chance together (bar: none lost).

Each body is walked leaf by leaf, without our readers: to its own format it is sent as it was written, to each other one
every leaf is carried, told or refused; so is a key in every object that no SDK knows. ``--piece 2/8`` walks an eighth.
"""

import argparse
import sys
import time
from collections import Counter
from itertools import chain, islice
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from figures import Figure, show
from wire.journeys import DIALECTS
from wire.test_every_field import invented, losses, own_losses
from wire.typed_bodies import bodies, body_with, examples, fields_of, with_own_values

TOGETHER = 3_000  # bodies of several fields, for each format


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--together", type=int, default=TOGETHER)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--piece", default="1/1", help="which of how many pieces of all bodies")
    options = parser.parse_args()
    piece, pieces = map(int, options.piece.split("/"))
    random, began = Random(options.seed), time.perf_counter()
    walked: Counter[str] = Counter()
    lost: list[str] = []
    for api in DIALECTS:
        made = chain(bodies(api), (together(api, random) for _ in range(options.together)))
        for body in islice(made, piece - 1, None, pieces):
            walked[api.value] += 1
            lost += [*own_losses(api, body), *losses(api, body), *losses(api, invented(body))]
    figures = [
        Figure("bodies", walked.total()),
        Figure("lost without a word", len(lost), ("=", 0)),
        Figure("took", time.perf_counter() - began, None, "s"),
    ]
    for loss in lost[:20]:
        print(loss, file=sys.stderr)
    sys.exit(show("every field to every format", figures, kinds=dict(walked)))


def together(api, random):
    """A body of some fields, each with any of its arms."""
    fields, body = fields_of(api), {}
    for key, kind in random.sample(fields, random.randint(2, 8)):
        arms = examples(kind, key)
        body |= body_with(api, key, random.choice(arms)) if arms else {}
    return with_own_values(body or body_with(api, "metadata", {}))


if __name__ == "__main__":
    main()

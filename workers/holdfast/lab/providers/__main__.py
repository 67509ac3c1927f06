"""``python -m holdfast.lab.providers``: one simulated provider in this process."""

import argparse
from collections.abc import Sequence

from holdfast.lab.providers.serve import serve_forever
from holdfast.lab.providers.settings import SimSettings


def read(arguments: Sequence[str] | None = None) -> tuple[SimSettings, bool]:
    """Read the command line. ``--settings`` gives all of them as JSON; the other options change some."""
    parser = argparse.ArgumentParser(prog="python -m holdfast.lab.providers", description=__doc__)
    parser.add_argument("--settings", default="{}", help="all settings, as JSON")
    parser.add_argument("--port", type=int, help="0: any free one")
    parser.add_argument("--rate", type=float, help="requests a second")
    parser.add_argument("--burst", type=float, help="requests at once")
    parser.add_argument("--latency", type=float, nargs="+", metavar="SECONDS", help="one figure, or low and high")
    parser.add_argument("--retry-after", type=float, metavar="SECONDS", help="said with a 429")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--no-headers", dest="headers", action="store_const", const=False, help="no rate-limit headers")
    parser.add_argument("--until-eof", action="store_true", help="end when standard input ends")
    given = vars(parser.parse_args(arguments))
    settings, until_eof = SimSettings.model_validate_json(given.pop("settings")), given.pop("until_eof")
    if given["latency"]:
        given["latency"] = (given["latency"][0], given["latency"][-1])
    changes = {name: value for name, value in given.items() if value is not None}
    return SimSettings.model_validate({**settings.model_dump(), **changes}), until_eof


def main() -> None:
    settings, until_eof = read()
    serve_forever(settings, until_eof=until_eof)


if __name__ == "__main__":
    main()

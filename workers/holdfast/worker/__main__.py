"""``python -m holdfast.worker``: one process of the pool. Logs on stderr; SIGTERM stops gently, twice at once."""

import argparse
import asyncio
import gc
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.model.errors import HoldfastError

if TYPE_CHECKING:
    from holdfast.config import Settings

# A thousand calls in flight are a few hundred thousand live objects: at the default threshold, looking through them
# again and again is a third of a call's cost.
COLLECT = (50_000, 20, 20)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="holdfast worker", description=__doc__)
    parser.add_argument("--config", type=Path, help="the configuration (default: HOLDFAST_CONFIG, ./holdfast.toml)")
    parser.add_argument("--concurrency", type=int, help="calls in flight, instead of the configuration's")
    parser.add_argument("--standby", action="store_true", help="get ready, and begin when a line comes on stdin")
    return parser.parse_args()


def main() -> int:
    arguments = read_arguments()
    gc.disable()  # until all is imported: what imports make stays, and to look through it is a sixth of their time
    try:
        from holdfast.config import load  # noqa: PLC0415 - slow, as the next ones are
        from holdfast.telemetry.export import export_spans  # noqa: PLC0415
        from holdfast.worker.logs import log_to_stderr  # noqa: PLC0415
        from holdfast.worker.process import work  # noqa: PLC0415

        log_to_stderr()
        export_spans("holdfast-worker")
        settings = load(arguments.config)
        if arguments.standby and not told_to_work(settings):
            return 0
        gc.enable()
        gc.set_threshold(*COLLECT)
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(work(settings))
    except HoldfastError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the last word of a process that cannot start
        return error.exit_status
    return 0


def told_to_work(settings: "Settings") -> bool:
    """Import what the first calls need, and wait for a line; False: nobody needs this process, its stdin ended."""
    from holdfast.providers.clients import import_sdk  # noqa: PLC0415 - slow

    for model in settings.models.values():
        import_sdk(settings.providers[model.routes[0].provider].api)
    return bool(sys.stdin.readline())


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The event loop of libuv, which takes a fifth less CPU for a call; None is Python's own, where there is none."""
    try:
        import uvloop  # noqa: PLC0415  not on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    sys.exit(main())

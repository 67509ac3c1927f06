"""``python -m holdfast.worker``: one process of the pool. Logs on stderr; SIGTERM stops gently, twice at once."""

import argparse
import asyncio
import gc
import sys
from collections.abc import Callable
from pathlib import Path

from holdfast.model.errors import HoldfastError
from holdfast.worker.early_imports import import_libraries, import_sdks


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="holdfast worker", description=__doc__)
    parser.add_argument("--config", type=Path, help="the configuration (default: HOLDFAST_CONFIG, ./holdfast.toml)")
    parser.add_argument("--concurrency", type=int, help="calls in flight, instead of the configuration's")
    parser.add_argument("--standby", action="store_true", help="get ready, and begin when a line comes on stdin")
    return parser.parse_args()


def main() -> int:
    arguments = read_arguments()
    gc.disable()  # what imports make stays, and to look through it is a sixth of their time: see ``early_imports``
    try:
        import_libraries()
        from holdfast.config import load  # noqa: PLC0415 - slow, as the next ones are
        from holdfast.telemetry.export import export_spans  # noqa: PLC0415
        from holdfast.telemetry.stderr_logs import log_to_stderr  # noqa: PLC0415
        from holdfast.worker.process import work  # noqa: PLC0415

        log_to_stderr()
        export_spans("holdfast-worker")
        settings = load(arguments.config)
        import_sdks(settings)
        if arguments.standby and not sys.stdin.readline():
            return 0  # nobody needs this process: its stdin ended
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(work(settings))
    except HoldfastError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the last word of a process that cannot start
        return error.exit_status
    return 0


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The event loop of libuv, which takes a fifth less CPU for a call; None is Python's own, where there is none."""
    try:
        import uvloop  # noqa: PLC0415  not on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    sys.exit(main())

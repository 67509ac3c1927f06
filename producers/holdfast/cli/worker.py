"""``holdfast worker``: the pool, in the foreground."""

from holdfast.cli.context import settings
from holdfast.cli.options import Processes


def worker(
    *,
    processes: Processes = None,
) -> None:
    """Run workers until SIGTERM or Ctrl-C; running calls are finished first, a second signal ends them at once."""
    from holdfast.cli.own_workers import worker_children
    from holdfast.cli.processes import Processes
    from holdfast.cli.unusable import report_unusable

    known = settings()
    report_unusable(known)
    children = worker_children(known, processes, log=False)
    Processes(children, known.worker.grace).serve()

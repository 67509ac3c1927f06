"""``holdfast api``: the HTTP server, in the foreground."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from typer import Option

from holdfast.cli.context import settings
from holdfast.cli.programs import load
from holdfast.cli.show import say


def api(
    *,
    host: Annotated[str | None, Option(help="Address to listen on (default: the configuration's).")] = None,
    port: Annotated[int | None, Option(min=0, max=65_535, help="Port (default: the configuration's).")] = None,
    pool_socket: Annotated[Path | None, Option(hidden=True)] = None,
) -> None:
    """Serve HTTP until SIGTERM or Ctrl-C. It needs no worker and no provider to accept jobs."""
    from holdfast.cli.all_in_one import check_free

    known = settings()
    said = {"host": host or None, "port": port}
    server = known.server.model_copy(update={key: value for key, value in said.items() if value is not None})
    bound = replace(known, server=server)
    load("api_check")(bound)
    if server.port:
        check_free(server.host, server.port)
    say(f"serving http://{server.host}:{server.port} (its documentation: /docs)")
    serve = load("api")
    with suppress(KeyboardInterrupt):  # the server has ended in good order, and passes the signal on
        serve(bound, pool_socket)

"""A group of commands. Every command gets ``--json`` and ``--config``, and its errors become exit statuses."""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from typer import Option, Typer

from holdfast.cli.context import add, ending
from holdfast.cli.errors import reported_errors

Json = Annotated[bool, Option("--json", help="Print JSON on stdout, for programs.")]
Config = Annotated[
    Path | None,
    Option("--config", help="Configuration file (default: HOLDFAST_CONFIG, ./holdfast.toml).", metavar="FILE"),
]
Server = Annotated[
    str | None,
    Option("--server", help="Use this Holdfast server (default: HOLDFAST_URL).", metavar="URL"),
]
Function = Callable[..., None]


class Noun(Typer):
    """``@noun.command()`` is Typer's, with the common options added. ``--server`` where ``remote`` is true."""

    def __init__(self, about: str, **settings: Any) -> None:
        super().__init__(
            help=about,
            no_args_is_help=True,
            rich_markup_mode=None,
            pretty_exceptions_enable=False,
            context_settings={"help_option_names": ["-h", "--help"]},
            **settings,
        )

    def command(  # type: ignore[override] # fewer settings than Typer's
        self, name: str | None = None, *, remote: bool = True, **settings: Any
    ) -> Callable[[Function], Function]:
        register = super().command(name, **settings)

        def take(function: Function) -> Function:
            register(with_options(function, remote=remote))
            return function

        return take


def with_options(function: Function, *, remote: bool) -> Function:
    """Wrap a command so that it also takes the common options."""

    @functools.wraps(function)
    def run(*, json: bool, config: Path | None, server: str | None = None, **arguments: Any) -> None:
        add(json=json, config=config, server=server)
        with reported_errors(), ending():
            function(**arguments)

    kind = inspect.Parameter.KEYWORD_ONLY
    common = [
        inspect.Parameter("json", kind, default=False, annotation=Json),
        inspect.Parameter("config", kind, default=None, annotation=Config),
    ]
    if remote:
        common.append(inspect.Parameter("server", kind, default=None, annotation=Server))
    own = inspect.signature(function, eval_str=True)
    keywords = [parameter.replace(kind=kind) for parameter in own.parameters.values()]
    run.__signature__ = own.replace(parameters=[*keywords, *common])  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in [*keywords, *common]} | {"return": None}
    return run

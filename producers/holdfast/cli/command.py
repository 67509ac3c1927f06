"""A group of commands. Every command gets ``--json`` and ``--config``, and its errors become exit statuses."""

import functools
import inspect
from collections.abc import Callable, Iterable
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
            short_help=about,
            no_args_is_help=True,
            rich_markup_mode=None,
            pretty_exceptions_enable=False,
            context_settings={"help_option_names": ["-h", "--help"]},
            **settings,
        )

    def command(  # type: ignore[override] # fewer settings than Typer's
        self, name: str | None = None, *, remote: bool = True, **settings: Any
    ) -> Callable[[Function], Function]:
        register = super().command

        def take(function: Function) -> Function:
            told = {"short_help": summary(function)} | settings
            register(name, **told)(with_options(function, remote=remote))
            return function

        return take


def summary(function: Function) -> str | None:
    """Return the first sentence about a command, whole: a list of commands would cut it at the end of its line."""
    about = " ".join((inspect.getdoc(function) or "").partition("\n\n")[0].split())
    return about.partition(". ")[0].rstrip(".") + "." if about else None


def with_options(function: Function, *, remote: bool) -> Function:
    """Wrap a command so that it also takes the common options."""

    @functools.wraps(function)
    def run(*, json: bool, config: Path | None, server: str | None = None, **arguments: Any) -> None:
        add(json=json, config=config, server=server)
        with reported_errors(), ending():
            function(**arguments)

    common = [keyword("json", Json, default=False), keyword("config", Config)]
    common += [keyword("server", Server)] if remote else []
    return with_parameters(run, [*inspect.signature(function, eval_str=True).parameters.values(), *common])


def keyword(name: str, annotation: Any, *, default: object = None) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def with_parameters(run: Function, parameters: Iterable[inspect.Parameter]) -> Function:
    """Give a wrapper the signature that Typer reads: ``parameters``, all by keyword."""
    keywords = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
    run.__signature__ = inspect.Signature(keywords)  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in keywords} | {"return": None}
    return run

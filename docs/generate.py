"""Write the pages and files that are made from the code, or with ``--check`` tell which of them are out of date.

docs/cli.md from the command line's own help, docs/configuration.md and docs/holdfast.schema.json from the
configuration's schema, docs/faults.md from the table of fault kinds, docs/codes.md from the tables of providers' codes,
docs/filters.md from the table of filters, diagram and moves of docs/job-lifecycle.md from the table of moves, the
script of a new SQLite database from the migrations. Compared with the code are the headings of
docs/errors.md with the error classes, and the rows of docs/logs.md with the calls that log.
"""

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

os.environ |= {"COLUMNS": "100", "TERMINAL_WIDTH": "100", "NO_COLOR": "1"}

from catalogues import log_problems
from code_page import code_page
from fault_page import fault_page
from filter_page import filter_page
from lifecycle_page import lifecycle_page
from schema_script import schema_script
from typer.testing import CliRunner

from holdfast.cli.main import app
from holdfast.config import reference
from holdfast.config.editor_schema import editor_schema
from holdfast.store import migrations

DOCS = Path(__file__).parent
ROOTS = ("shared", "producers", "workers")
COMMAND = re.compile(r"^  ([a-z]+)  ", re.MULTILINE)
CODE = re.compile(r'^    code(?:: ClassVar\[str\])? = "([a-z_]+)"', re.MULTILINE)
HEADING = re.compile(r"^## `([a-z_]+)`", re.MULTILINE)
INTRODUCTION = """\
# Command line

<!-- Written by `python docs/generate.py`. Change the commands, not this page. -->

Data goes to stdout, everything else to stderr. Every command takes `--json`; an error then is a problem document on
stderr. Colours follow the terminal and `NO_COLOR`. `holdfast --install-completion` sets up completion.

| exit status | means |
| --- | --- |
| 0 | done |
| 1 | an error; the message says which |
| 2 | the command line or its input is wrong |
| 3 | done, and some lines or the job failed |
| 4 | what was named is not there |
| 5 | not allowed |
| 69 | the server, the database or Redis cannot be reached |
| 75 | not yet: try later |
| 78 | the configuration is wrong |
| 130 | interrupted; the message says how to go on |
"""


def cli_page() -> str:
    return "\n".join([INTRODUCTION, *sections(())]) + "\n"


def sections(path: tuple[str, ...]) -> Iterator[str]:
    """Show the help of a command and of those below it."""
    text = help_of(path)
    yield f"## `{' '.join(('holdfast', *path))}`\n\n```text\n{text.strip()}\n```\n"
    _, _, commands = text.partition("\nCommands:\n")
    for name in COMMAND.findall(commands):
        yield from sections((*path, name))


def help_of(path: tuple[str, ...]) -> str:
    shown = CliRunner().invoke(app, [*path, "--help"], prog_name="holdfast")
    if shown.exit_code:
        raise SystemExit(f"holdfast {' '.join(path)} --help failed: {shown.output}")
    return "\n".join(line.rstrip() for line in shown.stdout.splitlines())


def error_problems() -> list[str]:
    """Compare the errors that the code has with those that docs/errors.md explains."""
    files = (path for root in ROOTS for path in (DOCS.parent / root).rglob("*.py"))
    codes = {code for path in files for code in CODE.findall(path.read_text(encoding="utf-8"))} - {"error"}
    headings = set(HEADING.findall((DOCS / "errors.md").read_text(encoding="utf-8")))
    missing = [f"docs/errors.md has no heading for `{code}`" for code in sorted(codes - headings)]
    return missing + [f"docs/errors.md explains `{code}`, which no error has" for code in sorted(headings - codes)]


def pages() -> dict[Path, str]:
    made = {"cli.md": cli_page(), "configuration.md": reference.page()}
    made |= {"faults.md": fault_page(), "codes.md": code_page(), "filters.md": filter_page()}
    made["holdfast.schema.json"] = json.dumps(editor_schema(), indent=1, ensure_ascii=False) + "\n"
    made["job-lifecycle.md"] = lifecycle_page(DOCS / "job-lifecycle.md")
    return {DOCS / name: text for name, text in made.items()} | {migrations.NEW_SQLITE: schema_script()}


def main() -> int:
    problems = [*error_problems(), *log_problems(DOCS.parent)]
    for path, text in pages().items():
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            problems.append(f"{path.relative_to(DOCS.parent)} is out of date: run `make docs`")
    sys.stderr.writelines(f"{problem}\n" for problem in problems)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

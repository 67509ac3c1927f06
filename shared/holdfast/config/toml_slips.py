"""Slips that are often made in TOML, by what its parser says and by the line where it stops. Pure."""

import re

UNQUOTED = re.compile(r"""=\s*[A-Za-z$~/.][^"'\[{]*$""")


def slip_behind(what: str, text: str, number: int) -> str:
    """Return ``; `` and what mends it, or nothing. ``number``: the line, from 1.

    >>> slip_behind("Invalid value", "api = anthropic", 1), slip_behind("Expected '='", "providers:", 1)
    ('; a text stands in quotes', '; this looks like YAML: a table is [name], and a value name = value')
    """
    line = next(iter(text.splitlines()[number - 1 : number]), "").split("#")[0].rstrip()
    hint = ""
    if re.fullmatch(r"\s*[\w.-]+:(\s.*)?", line):
        hint = "this looks like YAML: a table is [name], and a value name = value"
    elif line.lstrip().startswith("{"):
        hint = "this looks like JSON: a table is [name], and a value name = value"
    elif re.search("[\u201c\u201d\u2018\u2019]", line):
        hint = 'quotes are straight: "'
    elif "Cannot declare" in what or "Cannot overwrite" in what:
        hint = "it stands in the file twice: put both together"
    elif re.search(r"=\s*(True|False)\b", line):
        hint = "true and false are written small"
    elif re.search(r"=\s*(null|None|nil)\b", line):
        hint = "what has no value is left out"
    elif "Illegal character" in what and "\\n" in what:
        hint = "a quote is not closed on its line"
    elif UNQUOTED.search(line):
        hint = "a text stands in quotes"
    return f"; {hint}" if hint else ""

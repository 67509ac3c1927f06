"""How a file is called into which another one is converted."""

from pathlib import Path


def new_name(name: str, suffix: str = ".jsonl") -> str:
    """Name the file into which one is converted: never itself, which a shell would empty before it is read.

    >>> new_name("/data/in.jsonl"), new_name("in.csv", ".csv")
    ('in-lines.jsonl', 'in-lines.csv')
    """
    return f"{Path(name).stem}-lines{suffix}".replace(" ", "-")

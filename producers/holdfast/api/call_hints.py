"""Sentences of errors name commands; over HTTP they name the calls that do the same."""

import re

CALLS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(f"`holdfast {command}`"), f"`{call}`")
    for command, call in (
        (r"(job|lane|route) list", r"GET /api/v1/\1s"),
        (r"batch list", "GET /api/v1/batches"),
        (r"job show (\S+)", r"GET /api/v1/jobs/\1"),
        (r"batch show (\S+)", r"GET /api/v1/batches/\1"),
        (r"job (?:wait|cancel) (\S+)", r"GET /api/v1/jobs/\1"),
        (r"batch cancel (\S+)", r"POST /api/v1/batches/\1/cancel"),
        (r"lane (pause|resume) (\S+)", r"POST /api/v1/lanes/\2/\1"),
        (r"dlq (replay|drop|drain)[^`]*", r"POST /api/v1/dlq/\1"),
    )
)
# Of a kind that neither a command nor a call lists.
NO_LIST = re.compile(r" `holdfast \w+ list` shows what is\.")


def name_calls(sentence: str) -> str:
    """Name calls where ``sentence`` names commands. What only a command does stays.

    >>> name_calls("there is no job job_7 in this storage. `holdfast job list` shows what is.")
    'there is no job job_7 in this storage. `GET /api/v1/jobs` shows what is.'
    >>> name_calls("there is no export op_7 in this storage. `holdfast export list` shows what is.")
    'there is no export op_7 in this storage.'
    """
    for command, call in CALLS:
        sentence = command.sub(call, sentence)
    return NO_LIST.sub("", sentence)

"""The Python client: submit jobs, wait, read results.

>>> from holdfast.client import Holdfast
>>> hf = Holdfast()  # doctest: +SKIP
>>> batch = hf.submit(["One line, please.", {"prompt": "Another.", "max_tokens": 50}], model="smart")  # doctest: +SKIP
>>> [answer.text for answer in batch.results()]  # doctest: +SKIP

Names are imported when they are first asked for: the command line needs none of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.client.answer import Answer, Problem
    from holdfast.client.asynchronous import AsyncBatch, AsyncHoldfast, AsyncJob
    from holdfast.client.errors import (
        InvalidJobs,
        JobFailed,
        JobProblem,
        PartlySubmitted,
        ServerRefused,
        ServerUnavailable,
        StillWaiting,
    )
    from holdfast.client.event_stream import AsyncEventStream, EndEvent, EventStream
    from holdfast.client.plain_line import output_line
    from holdfast.client.sync import Batch, Holdfast, Job
    from holdfast.client.wait_monitor import StalledWarning

PLACES = {
    "Answer": "answer",
    "AsyncBatch": "asynchronous",
    "AsyncEventStream": "event_stream",
    "AsyncHoldfast": "asynchronous",
    "AsyncJob": "asynchronous",
    "Batch": "sync",
    "EndEvent": "event_stream",
    "EventStream": "event_stream",
    "Holdfast": "sync",
    "InvalidJobs": "errors",
    "Job": "sync",
    "JobFailed": "errors",
    "JobProblem": "errors",
    "PartlySubmitted": "errors",
    "Problem": "answer",
    "ServerRefused": "errors",
    "ServerUnavailable": "errors",
    "StalledWarning": "wait_monitor",
    "StillWaiting": "errors",
    "output_line": "plain_line",
}

__all__ = [
    "Answer",
    "AsyncBatch",
    "AsyncEventStream",
    "AsyncHoldfast",
    "AsyncJob",
    "Batch",
    "EndEvent",
    "EventStream",
    "Holdfast",
    "InvalidJobs",
    "Job",
    "JobFailed",
    "JobProblem",
    "PartlySubmitted",
    "Problem",
    "ServerRefused",
    "ServerUnavailable",
    "StalledWarning",
    "StillWaiting",
    "output_line",
]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import what is asked for, and nothing else: a command line pays for every import."""
        if name not in PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{PLACES[name]}"), name)

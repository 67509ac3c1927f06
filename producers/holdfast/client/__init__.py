"""The Python client: submit jobs, wait, read results.

>>> from holdfast.client import Holdfast
>>> hf = Holdfast()  # doctest: +SKIP
>>> batch = hf.submit(["One line, please.", {"prompt": "Another.", "max_tokens": 50}], model="smart")  # doctest: +SKIP
>>> [answer.text for answer in batch.results()]  # doctest: +SKIP
"""

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
from holdfast.client.output_line import output_line
from holdfast.client.sync import Batch, Holdfast, Job

__all__ = [
    "Answer",
    "AsyncBatch",
    "AsyncHoldfast",
    "AsyncJob",
    "Batch",
    "Holdfast",
    "InvalidJobs",
    "Job",
    "JobFailed",
    "JobProblem",
    "PartlySubmitted",
    "Problem",
    "ServerRefused",
    "ServerUnavailable",
    "StillWaiting",
    "output_line",
]

"""Attempts that have ended, for tests of what is made of them: a claimed job, what came back, and the step."""

from typing import Any

from holdfast.model.attempt import Attempt
from holdfast.model.call_result import CallResult
from holdfast.model.fault import Fault
from holdfast.model.job import Claimed, Need, Permit
from holdfast.model.reply import Reply, Usage
from holdfast.model.request import Request
from holdfast.model.route import Api, Price, Route
from holdfast.model.step import Step


def a_route(name: str, price: Price | None = Price()) -> Route:  # noqa: B008  a frozen value
    provider, _, model = name.partition("/")
    return Route(provider, model, Api.ANTHROPIC, model, ("main",), price=price)


def a_claim(permit: Permit, need: Need | None = None) -> Claimed:
    """A job as its claim would read it, for a permit that no store knows of."""
    model = permit.lane.rpartition(".")[0]
    return Claimed(
        permit.job, permit.lane, model, 1, 1, 1, 0, 0, 0, need or Need(100, 100), Request(turns=()), None
    )  # fmt: skip


def ended(
    job: Claimed,
    permit: Permit,
    answer: Reply | Fault,
    step: Step | None = None,
    *,
    paid: Reply | None = None,
    number: int | None = None,
    price: Price | None = Price(),  # noqa: B008  a frozen value
    **told: Any,
) -> Attempt:
    """``answer`` is what was judged; ``paid`` the reply that was judged a fault. ``told`` is the call result's."""
    result = CallResult(paid or answer, **told)
    return Attempt(job, permit, a_route(permit.route, price), number or job.attempt_number, result, answer, step)


def called(permit: Permit, answer: Reply | Fault, usage: Usage | None = None, **more: Any) -> Attempt:
    """A call as the gate hears of it. ``usage``: of the reply that was judged a fault."""
    step, need = more.pop("step", None), more.pop("need", None)
    paid = None if usage is None else Reply(text="", finish="stop", usage=usage, model="m")
    return ended(a_claim(permit, need), permit, answer, step, paid=paid, **more)

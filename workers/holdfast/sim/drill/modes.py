"""What a call comes to in each mode of a scenario, understood as the real adapters understand it."""

from functools import cache

from holdfast.dialect.faults import read_fault
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.route import Api

INPUT_TOKENS, OUTPUT_TOKENS = 800, 400  # that a call really uses; the pool expects 1,000 and 1,000
REPLY = Reply(text="", finish=Finish.STOP, usage=Usage(input=INPUT_TOKENS, output=OUTPUT_TOKENS), model="simulated")
TIMED_OUT = Fault(FaultKind.TIMED_OUT, "its total deadline passed", ambiguous=True)
GIVEN_UP = Fault(FaultKind.TIMED_OUT, "slow on a route that is ill, given up for another", ambiguous=True)


@cache
def outcome_of(mode: str) -> Reply | Fault:
    """The outcome of a call that ended in ``mode``; a call that hangs ends when its deadline cuts it."""
    match mode:
        case "ok" | "slow":
            return REPLY
        case "hang":
            return TIMED_OUT
        case "reset":
            return Fault(FaultKind.CUT, "the connection was reset", ambiguous=True)
        case "unreachable":
            return Fault(FaultKind.UNREACHABLE, "no connection")
        case "bad":
            return Fault(FaultKind.BAD_ANSWER, "200 with something that is no answer", status=200)
        case _:
            return read_fault(Api.ANTHROPIC, int(mode[1:]), {}, b"")

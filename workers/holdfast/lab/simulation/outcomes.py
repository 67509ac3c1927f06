"""What a call comes to in each mode of a scenario, understood as the real adapters understand it."""

from holdfast.lab.drill.scenario import ANSWERS, Load
from holdfast.model.fault import Fault, FaultKind
from holdfast.model.reply import Finish, Reply, Usage
from holdfast.model.route import Api
from holdfast.wire.faults import read_fault

TIMED_OUT = Fault(FaultKind.TIMED_OUT, "its total deadline passed", ambiguous=True)
GIVEN_UP = Fault(FaultKind.TIMED_OUT, "slow on a route that is ill, given up for another", ambiguous=True)
CUT = Fault(FaultKind.CONNECTION_LOST, "the connection was reset", ambiguous=True)
_FAULTS = {
    "hang": TIMED_OUT,  # a call that hangs ends when its deadline cuts it
    "reset": CUT,
    "unreachable": Fault(FaultKind.UNREACHABLE, "no connection"),
    "bad": Fault(FaultKind.BAD_ANSWER, "200 with something that is no answer", status=200),
}


def outcome_of(mode: str, load: Load, api: Api = Api.ANTHROPIC) -> Reply | Fault:
    """The outcome of a call that ended in ``mode``."""
    if mode in ANSWERS:
        usage = Usage(input=load.input_tokens, output=load.output_tokens)
        return Reply(text="", finish=Finish.STOP, usage=usage, model="simulated")
    return _FAULTS.get(mode) or read_fault(api.wire, int(mode[1:]), {}, b"")

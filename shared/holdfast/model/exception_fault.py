"""An exception of ours in the way of a call, told as a fault: what broke and where, never what it held."""

from collections.abc import Iterator
from types import FrameType, TracebackType

from holdfast.model.fault import Fault, FaultKind

EXCEPTION = "exception"
"""The code of such a fault, by which it differs from those of our own Redis, SQL and limiter."""


def exception_fault(error: Exception, *, sent: bool) -> Fault:
    """Return the fault that ``error`` is to a call. ``sent``: bytes of it may have left, so it may be billed."""
    return Fault(FaultKind.INTERNAL, f"Holdfast broke: {what_broke(error)}", code=EXCEPTION, ambiguous=sent)


def is_exception(fault: object) -> bool:
    """Tell whether an outcome is an unexpected exception of ours.

    >>> is_exception(exception_fault(KeyError("name"), sent=True)), is_exception(Fault(FaultKind.INTERNAL))
    (True, False)
    """
    return isinstance(fault, Fault) and fault.kind is FaultKind.INTERNAL and fault.code == EXCEPTION


def what_broke(error: BaseException) -> str:
    """Name an exception, and the innermost line of ours that it passed.

    Its own words are left out: they may quote a prompt, an answer or a key.

    >>> what_broke(KeyError("a secret"))
    'KeyError'
    """
    places = list(places_of(error))
    name = type(error).__name__
    return f"{name} in {places[-1]}" if places else name


def places_of(error: BaseException) -> Iterator[str]:
    """Yield the lines of ours that an exception passed, the outermost first: module, function and line."""
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        module = _module(trace.tb_frame)
        if module.partition(".")[0] == "holdfast":
            yield f"{module}.{trace.tb_frame.f_code.co_name}, line {trace.tb_lineno}"
        trace = trace.tb_next


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))

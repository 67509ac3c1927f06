"""What is raised where a 200 carries no usable reply. Adapters turn it into a fault."""

from typing import ClassVar

from holdfast.model.errors import HoldfastError
from holdfast.model.fault import FaultKind


class BadAnswer(HoldfastError):
    """A provider's success that is none. ``provider_code`` is the code it gave, where it told of a failure inside."""

    code: ClassVar[str] = "bad_answer"

    def __init__(self, why: str, kind: FaultKind = FaultKind.BAD_ANSWER, provider_code: str | None = None) -> None:
        super().__init__(why, kind, provider_code)
        self.why, self.kind, self.provider_code = why, kind, provider_code

    def __str__(self) -> str:
        return self.why

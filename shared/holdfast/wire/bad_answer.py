"""What is raised where a 200 carries no usable reply. Adapters turn it into a fault."""

from typing import ClassVar

from holdfast.model.errors import HoldfastError
from holdfast.model.fault import FaultKind


class BadAnswer(HoldfastError):
    """A provider's success that is none.

    Where it told of a failure inside, ``provider_code`` is the code it gave and ``told`` its words, which may repeat
    the prompt and are for classifying alone.
    """

    code: ClassVar[str] = "bad_answer"

    def __init__(
        self, why: str, kind: FaultKind = FaultKind.BAD_ANSWER, provider_code: str | None = None, told: str = ""
    ) -> None:
        super().__init__(why, kind, provider_code)
        self.why, self.kind, self.provider_code, self.told = why, kind, provider_code, told

    def __str__(self) -> str:
        return self.why

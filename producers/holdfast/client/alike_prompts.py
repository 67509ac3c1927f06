"""Reading prompts of one submit: they differ in their words alone, so what the first came to holds for all of them.

To read a bare prompt whole, and to try how its route would write it, takes ten times as long as to put its words into
the request of another one.
"""

from dataclasses import replace

from holdfast.client.backend import Item
from holdfast.model.request import Role, Text, Turn
from holdfast.model.storable import is_storable
from holdfast.wire.batch_line import ParsedLine


class AlikePrompts:
    """The first prompt of a submit that could be accepted."""

    def __init__(self) -> None:
        self._first: ParsedLine | None = None

    def read(self, item: Item) -> ParsedLine | None:
        """Return what reading ``item`` whole would; None: it is no plain prompt, or the first one."""
        if self._first is None or not isinstance(item, str) or not item.strip() or not is_storable(item):
            return None
        turn = Turn(role=Role.USER, parts=(Text(text=item),))
        return replace(self._first, request=self._first.request.model_copy(update={"turns": (turn,)}))

    def learn(self, item: Item, read: ParsedLine) -> None:
        """Remember what reading ``item`` whole came to."""
        if self._first is None and isinstance(item, str) and item.strip():
            self._first = read

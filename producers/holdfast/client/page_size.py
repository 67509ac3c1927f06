"""How many answers are read at once: one may be megabytes long, and most are short."""

FEW, MANY = 20, 160
FULL = 1024 * 1024  # bytes of answers on a page that is large enough


class PageSize:
    """Grows while pages are short, and is small again behind a long one."""

    def __init__(self) -> None:
        self.answers = FEW

    def learn(self, size: int) -> None:
        """Note how many bytes the answers of the last page had."""
        self.answers = min(self.answers * 2, MANY) if size < FULL else FEW

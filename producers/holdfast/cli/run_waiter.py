"""What a run does while it waits: keep workers running, and show how the batch is getting on."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property

from holdfast.cli.own_workers import OwnWorkers, workers
from holdfast.cli.progress import Progress
from holdfast.cli.upload import Uploader
from holdfast.client.backend import Backend
from holdfast.client.batch_progress import BatchProgress

LONGEST_NAP = 0.5  # seconds between two looks at our workers and at the progress


class RunWaiter:
    """Waits for a batch. A pool of our own, ``prepared`` before, begins with the first look, if one is needed."""

    def __init__(
        self, backend: Backend, uploader: Uploader, progress: Progress, stack: ExitStack, prepared: OwnWorkers | None
    ) -> None:
        self._backend, self._uploader, self._prepared = backend, uploader, prepared
        self._progress, self._stack = progress, stack

    def nap(self, seconds: float) -> None:
        """Sleep for at most so long. Raises ChildFailed."""
        self.check_workers()
        self._progress.look(self._batch_progress.sentence)
        time.sleep(min(seconds, LONGEST_NAP))

    def last_look(self) -> None:
        """Show how it ended, and take the live line away."""
        self._progress.look(self._batch_progress.sentence, force=True)
        self._progress.close()

    @cached_property
    def check_workers(self) -> Callable[[], None]:
        """See to it that somebody works; call it again and again. Raises ChildFailed."""
        return self._stack.enter_context(workers(self._backend, prepared=self._prepared))

    @cached_property
    def _batch_progress(self) -> BatchProgress:
        return BatchProgress(self._backend, str(self._uploader.sent.batch))

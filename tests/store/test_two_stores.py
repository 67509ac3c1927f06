"""Two stores in one process and others beside them: what one of them opens must not cost another one its locks."""

import subprocess
import sys
from pathlib import Path

from holdfast.store import Store
from holdfast.store.batches import find_batch, open_batch

ELSEWHERE = """
import sys
from holdfast.store import Store
from holdfast.store.batches import open_batch
store = Store(sys.argv[1])
store.write(open_batch, sys.argv[2], "", "default")
store.close()
"""


def test_a_second_store_in_a_process_does_not_blind_the_first(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'holdfast.db'}"
    first = Store(url)
    first.upgrade()
    first.write(open_batch, "a" * 32, "", "default")
    Store(url).close()
    for batch in ("b" * 32, "c" * 32):  # the process that ends takes the log with it, if it believes itself alone
        subprocess.run([sys.executable, "-c", ELSEWHERE, url, batch], check=True)
        assert first.read(find_batch, batch) is not None
    first.close()

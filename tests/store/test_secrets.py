"""The key that signs messages is made once, and every process of a storage finds the same."""

from concurrent.futures import ThreadPoolExecutor

from holdfast.store import Store
from holdfast.store.secrets import message_key


def test_processes_that_start_together_agree_on_one_key(store: Store) -> None:
    with ThreadPoolExecutor(4) as pool:
        keys = set(pool.map(lambda _: message_key(store), range(8)))
    assert len(keys) == 1
    assert len(keys.pop()) == 64


def test_the_operators_own_key_goes_first(store: Store) -> None:
    assert message_key(store, "mine") == b"mine"

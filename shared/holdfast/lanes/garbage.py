"""Garbage in our own keys: another type, or no value of ours. It is deleted, and what it took with it is rebuilt."""

import time
from collections.abc import Callable, Mapping
from threading import Lock

import redis

from holdfast.lanes.keys import Keys
from holdfast.lanes.lua import source

AT_ONCE = 1_000  # names that one SCAN looks at
SHOWN = 5  # keys that the log names
APART = 0.5  # seconds between two purges by one process: the many that meet the same garbage need one
SIGNS = ("WRONGTYPE", "GARBAGE", "not an integer", "not a valid float", "attempt to ")

# The type of every key, by what its name begins with behind the root; the longest beginning counts.
KINDS: Mapping[str, str] = {
    "lane:": "list",
    "lane:__acks__.": "set",
    "lane:__heartbeats__": "zset",
    "permits:": "hash",
    "breaker:": "hash",
    "bucket:": "hash",
    "slots:": "zset",
    "refill:": "string",
    "said:": "string",
    "credential-faults": "hash",
    "replies": "hash",
    "failing:": "zset",
    "index": "set",
    "lanes": "set",
    "paused": "set",
    "epoch": "string",
    "server": "string",
    "alive": "string",
    "refused": "string",
    "purged": "string",
}
PARTS: Mapping[str, str] = {"msgs": "hash", "need": "hash", "beyond": "string"}  # what lies beside a lane's list


def kind_of(name: str, root: str) -> str | None:
    """The type that the key ``name`` must have; None: it is none of ours.

    >>> kind_of("{hf}:lane:smart.batch", "{hf}:"), kind_of("{hf}:lane:smart.batch.msgs", "{hf}:")
    ('list', 'hash')
    >>> kind_of("{hf}:other", "{hf}:") is None
    True
    """
    rest = name.removeprefix(root)
    if rest.startswith("lane:") and (beside := PARTS.get(rest.rpartition(".")[2])):
        return beside
    found = [begins for begins in KINDS if (rest.startswith(begins) if begins[-1] in ":." else rest == begins)]
    return KINDS[max(found, key=len)] if found else None


def is_garbage(error: Exception) -> bool:
    """Whether Redis failed because of what lies in a key, and not because of itself."""
    return isinstance(error, redis.ResponseError) and any(sign in str(error) for sign in SIGNS)


class GarbageRemover:
    """One process's way to get garbage out of the lanes. From any thread. ``client`` finds the Redis it lies in."""

    def __init__(self, client: Callable[[], redis.Redis], keys: Keys) -> None:
        self._client, self._keys = client, keys
        self._lock, self._last, self._why = Lock(), -APART, ""

    def __call__(self, why: Exception, now: str = "") -> None:
        """Delete what is not ours, unless that was just done for the same error. Raises what Redis raises.

        ``now``: the scripts' first argument.
        """
        with self._lock:
            if str(why) == self._why and time.monotonic() - self._last < APART:
                return
            deleted = purge(self._client(), self._keys, now)
            self._last, self._why = time.monotonic(), str(why)
        from holdfast.telemetry.event_logger import event_logger  # noqa: PLC0415 - structlog is slow to import, garbage rare

        log = event_logger(__name__)
        log.warning(
            "garbage_deleted",
            count=len(deleted),
            keys=deleted[:SHOWN],
            why=f"somebody else wrote to this Redis: {why}",
            effect="windows are rebuilt from SQL; what cannot be known begins with care",
        )


def purge(client: redis.Redis, keys: Keys, now: str = "") -> list[str]:
    """Delete keys of ours that hold what we did not write, rebuild what can be; the names of the deleted."""
    escaped = keys.root.replace("[", r"\[").replace("*", r"\*").replace("?", r"\?")
    found = sorted({str(name) for name in client.scan_iter(f"{escaped}*", count=AT_ONCE)})
    ours = {name: kind for name in found if (kind := kind_of(name, keys.root))}
    script = client.register_script(source("purge"))
    deleted = [str(name) for name in script([keys.root, *ours], [now, *ours.values()])]
    if deleted:
        client.incrby(keys.purged, len(deleted))
        repair(client, keys)
    return deleted


def repair(client: redis.Redis, keys: Keys) -> int:
    """Forget messages that nobody will fetch or acknowledge, so that their jobs can be offered again."""
    script, forgotten = client.register_script(source("repair")), 0
    for lane in map(str, client.smembers(keys.names)):
        names = [keys.lane(lane), keys.messages(lane), keys.need(lane), keys.heartbeats]
        forgotten += int(script(names, [lane, f"{keys.lanes}:__acks__."]))
    return forgotten

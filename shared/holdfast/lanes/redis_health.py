"""What state Redis is in, in words an operator can act on."""

from collections.abc import Mapping

import redis

from holdfast.lanes.keys import Keys
from holdfast.lanes.lua import source

Client = redis.Redis
SAFE = "Accepted jobs are safe in SQL; no new call starts until Redis takes writes again."
MEGABYTE = 1_000_000


def redis_health(client: Client, keys: Keys) -> list[str]:
    """Say what is wrong with a Redis that answers; empty where all is well. Raises what a Redis that is away raises."""
    info = read_info(str(client.eval(source("server_info"), 1, keys.root)))
    words = describe(info)
    try:
        client.set(keys.alive, "1")
    except redis.ResponseError as error:
        return words or [f"Redis takes no writes ({error}). {SAFE}"]
    return words


def read_info(text: str) -> dict[str, str]:
    r"""Take the text of INFO apart.

    >>> read_info("# Memory\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\n")
    {'maxmemory': '0', 'maxmemory_policy': 'noeviction'}
    """
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {name: value.strip() for name, value in pairs}


def describe(info: Mapping[str, str]) -> list[str]:
    """Put what INFO says into words.

    >>> describe({"role": "slave", "master_host": "10.0.0.2"})[0].partition(". ")[0]
    'Redis is a read-only replica of 10.0.0.2'
    """
    words = []
    if info.get("role") == "slave":
        words.append(f"Redis is a read-only replica of {info.get('master_host', 'another server')}. {SAFE}")
    used, most = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        words.append(
            f"Redis may throw keys away (maxmemory-policy {policy}): limits and breakers would be forgotten. "
            "Set maxmemory-policy noeviction."
        )
    elif 0 < most <= used:
        words.append(
            f"Redis is full: {used / MEGABYTE:.1f} of {most / MEGABYTE:.1f} MB used, and writes are refused. "
            f"Raise maxmemory. {SAFE}"
        )
    return words

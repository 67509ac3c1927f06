"""Addresses of databases and Redis, as they may be shown."""

from urllib.parse import urlsplit, urlunsplit


def without_password(url: str) -> str:
    """Return ``url`` fit to be shown.

    >>> without_password("redis://user:secret@example.org:6379/0")
    'redis://user@example.org:6379/0'
    >>> without_password("unix:///srv/redis.sock?password=secret")
    'unix:///srv/redis.sock'
    """
    parts = urlsplit(url)
    if not parts.netloc:
        return f"{parts.scheme}://{parts.path}" if parts.scheme else parts.path
    user, at, host = parts.netloc.rpartition("@")
    name = user.partition(":")[0]
    return urlunsplit(parts._replace(netloc=(name + at if name else "") + host, query=""))

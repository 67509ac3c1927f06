"""Where several servers make up one Redis: Sentinel, which names the master, and Cluster, which shares out the keys.

``sentinel://[USER:PASSWORD@]HOST:PORT,HOST:PORT/NAME``   ``sentinels://`` speaks TLS
``redis+cluster://[USER:PASSWORD@]HOST:PORT,HOST:PORT``   ``rediss+cluster://`` speaks TLS

Behind the address may stand ``?ssl_ca_certs=PATH``, and for Sentinel ``sentinel_password=``. Every key of ours carries
one hash tag, so in a cluster all of them lie on one node, and each script finds its keys there.
"""

from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit

import redis
import redis.asyncio
from redis.asyncio.cluster import ClusterNode as AsyncClusterNode
from redis.asyncio.cluster import RedisCluster as AsyncRedisCluster
from redis.asyncio.retry import Retry as AsyncRetry
from redis.asyncio.sentinel import Sentinel as AsyncSentinel
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.connection import HiredisRespSerializer
from redis.exceptions import RedisClusterException
from redis.retry import Retry
from redis.sentinel import Sentinel

SENTINEL, CLUSTER = ("sentinel", "sentinels"), ("redis+cluster", "rediss+cluster")
SCHEMES = (*SENTINEL, *CLUSTER)
PORTS = {"sentinel": 26_379, "cluster": 6_379}
ANSWER_SECONDS = 5.0
CONNECT_SECONDS = 2.0
AWAY = (redis.ConnectionError, redis.TimeoutError, RedisClusterException)
PACKER: Any = HiredisRespSerializer()
FAILED = (redis.RedisError, RedisClusterException)
TIMES: dict[str, Any] = {
    "decode_responses": True,
    "socket_timeout": ANSWER_SECONDS,
    "socket_connect_timeout": CONNECT_SECONDS,
}


@dataclass(frozen=True, slots=True)
class Several:
    """An address of several servers, taken apart. ``name`` is what the sentinels call the master."""

    cluster: bool
    hosts: tuple[tuple[str, int], ...]
    name: str
    login: dict[str, Any] = field(repr=False)
    sentinel_login: dict[str, Any] = field(repr=False)


def problem_of_one(url: str) -> str | None:
    """Say what is wrong with the address of a single server, as far as that shows without asking it.

    >>> problem_of_one("redis://h/0"), problem_of_one("redis://h/zero"), problem_of_one("unix://")
    (None, "expected the number of a database behind the host, got '/zero'", 'expected unix:///PATH')
    >>> problem_of_one("redis://h?colour=1"), problem_of_one("redis://h?db=x")
    ("there is no option 'colour'", "Invalid value for 'db' in connection URL")
    """
    parts = urlsplit(url)
    if parts.scheme == "unix":
        return None if parts.path else "expected unix:///PATH"
    if parts.path.strip("/") and not parts.path.strip("/").isdigit():
        return f"expected the number of a database behind the host, got {parts.path!r}"
    try:
        redis.ConnectionPool.from_url(url).make_connection()
    except ValueError as error:
        return str(error).rstrip(".")
    except TypeError as error:  # of its class, which takes options by their names
        return f"there is no option {str(error).rpartition(' ')[2]}"
    return None


def reason(error: Exception) -> str:
    """Say why Redis did not answer: without the clients that redis-py prints where no sentinel knows a master."""
    return str(error).partition(" : <")[0] or type(error).__name__


def is_several(url: str) -> bool:
    return url.partition("://")[0] in SCHEMES


def read(url: str) -> Several:
    """Take the address apart. Raises ValueError.

    >>> read("sentinel://:hush@a:1,b/main").hosts
    (('a', 1), ('b', 26379))
    """
    parts = urlsplit(url)
    cluster, tls = parts.scheme in CLUSTER, parts.scheme in {"sentinels", "rediss+cluster"}
    user, _, hosts = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    query = dict(parse_qsl(parts.query))
    tls_options = {"ssl": True, **{k: v for k, v in query.items() if k.startswith("ssl_")}} if tls else {}
    login = {"username": unquote(name) or None, "password": unquote(password) or None, **tls_options}
    read_hosts = tuple(_host(text, PORTS["cluster" if cluster else "sentinel"]) for text in hosts.split(","))
    master = parts.path.strip("/")
    if not cluster and not master:
        raise ValueError("expected the master's name behind the hosts, as in sentinel://host:26379/mymaster")
    return Several(cluster, read_hosts, master, login, {"password": query.get("sentinel_password"), **tls_options})


def _host(text: str, port: int) -> tuple[str, int]:
    name, colon, number = text.strip().rpartition(":")
    if not colon:
        name, number = number, str(port)
    if not name or not number.isdigit():
        raise ValueError(f"expected HOST:PORT, got {text!r}")
    return name.strip("[]"), int(number)


class Cluster(RedisCluster):
    """A cluster that is asked for the time as one server is: what has no key is asked of one node."""

    def time(self, **_: Any) -> Any:
        return super().time(target_nodes=self.get_default_node())  # type: ignore[no-untyped-call]


def open_sync(url: str, *, decode: bool = True) -> redis.Redis:
    """Make a client for threads, which reads texts, or bytes without ``decode``."""
    options = {**TIMES, "decode_responses": decode}
    if not is_several(url):
        return redis.Redis.from_url(url, **options, retry=Retry(NoBackoff(), 0))
    found = read(url)
    if found.cluster:
        nodes = [ClusterNode(host, port) for host, port in found.hosts]  # type: ignore[no-untyped-call]
        made = Cluster(startup_nodes=nodes, **found.login, **options, retry=Retry(NoBackoff(), 1))
        return cast("redis.Redis", made)
    times = {**options, "retry": Retry(NoBackoff(), 0)}
    sentinels: Any = Sentinel  # redis-py leaves it without types
    watching = sentinels(found.hosts, sentinel_kwargs={**found.sentinel_login, **times}, **found.login, **times)
    return cast("redis.Redis", watching.master_for(found.name))


def open_asynchronous(url: str) -> redis.asyncio.Redis:
    """Make a client for the running event loop."""
    if not is_several(url):
        return packing_in_c(redis.asyncio.Redis.from_url(url, **TIMES, retry=AsyncRetry(NoBackoff(), 0)))
    found = read(url)
    if found.cluster:
        nodes = [AsyncClusterNode(host, port) for host, port in found.hosts]
        made = AsyncRedisCluster(startup_nodes=nodes, **found.login, **TIMES, retry=AsyncRetry(NoBackoff(), 1))
        return cast("redis.asyncio.Redis", made)
    times = {**TIMES, "retry": AsyncRetry(NoBackoff(), 0)}
    sentinels: Any = AsyncSentinel
    watching = sentinels(found.hosts, sentinel_kwargs={**found.sentinel_login, **times}, **found.login, **times)
    return packing_in_c(cast("redis.asyncio.Redis", watching.master_for(found.name)))


def packing_in_c(client: redis.asyncio.Redis) -> redis.asyncio.Redis:
    """Let a client write its commands by hiredis, as those for threads do by themselves: in Python it takes four times
    as long, and the arguments of a script may be thousands.
    """
    pool = client.connection_pool
    pool.connection_class = type("PackingConnection", (pool.connection_class,), {"pack_command": _pack})
    return client


def _pack(_connection: Any, *args: Any) -> list[bytes]:
    return list(PACKER.pack(*args))

"""Which proxy a call to a provider goes through: its own, or HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in either case."""

from collections.abc import Callable, Mapping
from ipaddress import ip_address, ip_network
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined] # typeshed lacks it

from yarl import URL

from holdfast.model.errors import ConfigError
from holdfast.model.loopback import is_loopback

STRAIGHT = "none"  # in the place of a proxy's address
ProxyOf = Callable[[URL], URL | None]  # an address to its proxy; None: the call goes straight


def read_proxies(own: str | None = None) -> ProxyOf:
    """Read the environment once. Raises ConfigError: a proxy that speaks no HTTP.

    ``own``: the provider's own proxy, to which all its calls go, or ``STRAIGHT``. None: the environment tells. Then
    loopback never goes through a proxy. NO_PROXY holds host names, ends of them, addresses, and networks as CIDR, apart
    by commas; ``*`` is everything.
    """
    if own is not None:
        chosen = None if own == STRAIGHT else URL(own)
        return lambda _: chosen
    told = getproxies_environment()
    proxies = {scheme: _proxy(scheme, told[scheme]) for scheme in ("http", "https") if told.get(scheme)}
    networks = [entry.strip() for entry in told.get("no", "").split(",") if "/" in entry]

    def proxy_of(url: URL) -> URL | None:
        proxy, host = proxies.get(url.scheme), url.host or ""
        if proxy is None or is_loopback(host) or _is_bypassed(f"{host}:{url.port}", told) or _is_in(host, networks):
            return None
        return proxy

    return proxy_of


def _proxy(scheme: str, text: str) -> URL:
    proxy = URL(text if "://" in text else f"http://{text}")
    if proxy.scheme not in {"http", "https"} or not proxy.host:
        name = f"{scheme.upper()}_PROXY"
        raise ConfigError((f"environment variable {name}: expected http://HOST:PORT, got a {proxy.scheme} address",))
    return proxy


def _is_bypassed(host: str, told: Mapping[str, str]) -> bool:
    return bool(proxy_bypass_environment(host, dict(told)))


def _is_in(host: str, networks: list[str]) -> bool:
    try:
        address = ip_address(host)
        return any(address in ip_network(network, strict=False) for network in networks)
    except ValueError:  # the host is a name, or an entry is no network
        return False

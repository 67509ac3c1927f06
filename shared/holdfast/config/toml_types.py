"""The kinds of values that a configuration has, each with its check, and the base of its tables."""

import math
import re
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from holdfast.config.secrets import FORMS, is_reference
from holdfast.model.durations import EXPECTED, parse_duration
from holdfast.model.loopback import is_loopback
from holdfast.model.receiver_address import read_allowed

ORIGIN = re.compile(r"^https?://[^/\s*]+$")
PAGES = ("/chat/completions", "/responses", "/embeddings", "/messages", "/models")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
ENDPOINT = re.compile(r"(/[A-Za-z0-9._~:@!$&'()*+,;=%-]+)+/?")
DATABASES = ("sqlite", "postgresql", "postgresql+psycopg", "postgres")
QUEUES = ("redis", "rediss", "unix")
FILE = re.compile(r"sqlite:///(?!:memory:).+")  # several processes cannot share memory
HOSTS = r"([^/?@]*@)?[^/?@,]+(,[^/?@,]+)*"
SEVERAL = re.compile(rf"sentinels?://{HOSTS}/[^/?]+(\?.*)?|rediss?\+cluster://{HOSTS}/?(\?.*)?")  # several servers


class Expected(ValueError):
    """A value is not what it should be; the text says what was expected."""


def seconds(value: object) -> float:
    """Read a duration.

    >>> [seconds(value) for value in ("120s", "5m", "500ms", 90)]
    [120.0, 300.0, 0.5, 90.0]
    """
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0:
        return float(value)
    found = parse_duration(value) if isinstance(value, str) else None
    if found is None:
        raise Expected(EXPECTED)
    return found


def _positive(value: float) -> float:
    if value <= 0:
        raise Expected("a duration above zero")
    return value


def _endpoint_path(text: str) -> str:
    if not ENDPOINT.fullmatch(text) or ".." in text:
        raise Expected("the path of an endpoint, such as /fim/completions")
    return text.rstrip("/")


def _reference(text: str) -> str:
    if not is_reference(text):
        raise Expected(f"a reference: {FORMS}")
    return text


def _web_address(text: str) -> str:
    address = _split(text)
    if address is None or address.scheme not in {"http", "https"} or not address.hostname:
        raise Expected("an http:// or https:// address")
    if address.username is not None or address.query or address.fragment:
        raise Expected("an address without user, query or fragment")
    return text.rstrip("/")


def _origin(text: str) -> str:
    if not ORIGIN.fullmatch(text):
        raise Expected("the origin of one page, such as https://app.example.com")
    return text


def _base_address(text: str) -> str:
    """An address that the SDKs put their own paths behind."""
    if page := next((page for page in PAGES if text.rstrip("/").endswith(page)), None):
        raise Expected(f"an address without {page}, which is put behind it")
    return _web_address(text)


def _proxy_address(text: str) -> str:
    return text if text == "none" else _web_address(text)


def _issuer_address(text: str) -> str:
    """A token issuer is shown a secret: in the clear only on this machine."""
    address = urlsplit(_web_address(text))
    if address.scheme != "https" and not is_loopback(address.hostname):
        raise Expected("an https:// address (http:// only on this machine)")
    return text


def _database(text: str) -> str:
    address = _split(text)
    if address is None or address.scheme not in DATABASES or (address.scheme == "sqlite" and not FILE.fullmatch(text)):
        raise Expected("sqlite:///PATH or postgresql://…")
    return text


def _queue(text: str) -> str:
    address = _split(text)
    known = text == "embedded" or (address is not None and address.scheme in QUEUES) or SEVERAL.fullmatch(text)
    if not known:
        raise Expected("embedded, redis://…, rediss://…, unix://…, sentinel://HOSTS/NAME or redis+cluster://HOSTS")
    return text


def _split(text: str) -> SplitResult | None:
    try:
        address = urlsplit(text)
        _ = address.port  # a port that is no number shows itself only here
    except ValueError:
        return None
    return address


def _allowed_receiver(text: str) -> str:
    try:
        read_allowed([text])
    except ValueError:
        raise Expected("a network, an IP address or a host name") from None
    return text


Seconds = Annotated[float, BeforeValidator(seconds), Field(json_schema_extra={"format": "duration"})]
PositiveSeconds = Annotated[Seconds, AfterValidator(_positive)]
Reference = Annotated[str, AfterValidator(_reference)]
ProxyAddress = Annotated[str, AfterValidator(_proxy_address)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
BaseAddress = Annotated[str, AfterValidator(_base_address)]
IssuerAddress = Annotated[str, AfterValidator(_issuer_address)]
AllowedReceiver = Annotated[str, AfterValidator(_allowed_receiver)]
EndpointPath = Annotated[str, AfterValidator(_endpoint_path)]
DatabaseUrl = Annotated[str, AfterValidator(_database)]
RedisUrl = Annotated[str, AfterValidator(_queue)]
Word = Annotated[str, Field(pattern=f"^{NAME.pattern}$")]  # may become a part of an address: nothing breaks out
Origin = Annotated[str, AfterValidator(_origin), Field(json_schema_extra={"pattern": ORIGIN.pattern})]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Usd = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class TomlTable(BaseModel):
    """Types are taken as TOML has them (no text for a number), and every key must be known."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

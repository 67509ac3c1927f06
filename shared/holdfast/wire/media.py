"""Data URLs and sources of pictures and documents, in both directions."""

import base64
import re

from holdfast.wire.mapping_report import MappingReportBuilder

# Names that are in use for a registered type and that providers answer with 400 (IANA media types, image).
REGISTERED = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png"}
DATA_URL = re.compile(r"data:(?P<type>[\w.+-]+/[\w.+-]+)(?:;[\w-]+=[^;,]*)*;base64,", re.IGNORECASE)


def split_data_url(url: str) -> tuple[str, str] | None:
    """Split a base64 data URL into media type and data; None for any other URL."""
    found = DATA_URL.match(url)
    return (found["type"].lower(), url[found.end() :]) if found else None


def is_web(url: str) -> bool:
    """Whether every provider could follow a URL."""
    return url.lower().startswith(("https://", "http://"))


def data_url(media_type: str, data: str) -> str:
    return f"data:{media_type};base64,{data}"


def encode_text(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def decode_text(data: str) -> str | None:
    """Text that was carried as base64; None where it is not UTF-8."""
    try:
        return base64.b64decode(data, validate=True).decode()
    except ValueError:
        return None


def known_type(media_type: str | None, place: str, report: MappingReportBuilder) -> str | None:
    """Return the registered name of a media type; another one that was given is told."""
    registered = REGISTERED.get(media_type or "", media_type)
    if registered != media_type:
        report.change(f"{place}.media_type", f"{media_type} became {registered}, its registered name")
    return registered

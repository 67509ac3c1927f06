"""Data URLs and sources of pictures and documents, in both directions."""

import base64
import re

from holdfast.model.errors import InvalidRequest

DATA_URL = re.compile(r"data:(?P<type>[\w.+-]+/[\w.+-]+)(?:;[\w-]+=[^;,]*)*;base64,", re.IGNORECASE)


def split_data_url(url: str, where: str) -> tuple[str, str] | None:
    """Split a base64 data URL into media type and data; None for any other URL. Raises InvalidRequest."""
    if url[:5].lower() != "data:":
        if not url.lower().startswith(("https://", "http://")):
            raise InvalidRequest(where, "expected an https URL or a base64 data URL.")
        return None
    found = DATA_URL.match(url)
    if found is None:
        raise InvalidRequest(where, "expected a data URL of the form data:image/png;base64,…")
    return found["type"].lower(), url[found.end() :]


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

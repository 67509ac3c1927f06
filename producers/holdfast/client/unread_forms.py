"""What the first bytes of a file say it is, where that is no text in UTF-8: packed, or in a wider encoding."""

import codecs
import re
from collections.abc import Mapping

GZIP = b"\x1f\x8b"
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
PACKINGS: Mapping[bytes, str] = {
    b"\x28\xb5\x2f\xfd": "packed with zstd",
    b"\xfd7zXZ\x00": "packed with xz",
    b"BZh": "packed with bzip2",
    b"\x04\x22\x4d\x18": "packed with lz4",
    GZIP: "packed with gzip",
    b"PK\x03\x04": "a zip archive",
    b"SQLite format 3\x00": "a database",
}
# JSON begins with signs of ASCII, whose other bytes are zero in a wider encoding.
WIDE: Mapping[str, re.Pattern[bytes]] = {
    "UTF-32": re.compile(rb"[^\0]\0\0\0|\0\0\0[^\0]"),
    "UTF-16LE": re.compile(rb"[^\0]\0[^\0]\0"),
    "UTF-16BE": re.compile(rb"\0[^\0]\0[^\0]"),
}


def packing_of(head: bytes) -> str | None:
    """Say how a file is packed, by its first bytes; None where it is in no way that is known.

    >>> packing_of(b"BZh91AY"), packing_of(b"{}")
    ('packed with bzip2', None)
    """
    return next((what for magic, what in PACKINGS.items() if head.startswith(magic)), None)


def wide_encoding_of(head: bytes) -> str | None:
    """Name the encoding of a text whose first bytes show that it is not UTF-8; None where they show nothing.

    >>> wide_encoding_of('{"a": 1}'.encode("utf-16-le")), wide_encoding_of(b'{"a": 1}')
    ('UTF-16LE', None)
    """
    if head.startswith(UTF32):
        return "UTF-32"
    if head.startswith(UTF16):
        return "UTF-16"
    return next((name for name, sign in WIDE.items() if sign.match(head)), None)

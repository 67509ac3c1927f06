"""JSON without a loss: integers of any size, the order of keys, and what providers write that is no JSON.

msgspec reads: it makes exact integers, and no tree besides the objects themselves, which in orjson takes twelve times
the size of a large body. orjson writes, but makes null of NaN and refuses integers beyond 64 bits. What either refuses
goes through the standard library, which is slower.
"""

import json
import math
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

import msgspec
import orjson

DECODER = msgspec.json.Decoder()
ESCAPES = re.compile(  # a backslash, a whole surrogate pair, or (in the group) half of one
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
ARRAYS = (list, tuple)  # as orjson takes them
PLAIN = frozenset({str, int, bool, type(None)})  # most of what there is, and no number that JSON does not hold
REPLACEMENT = rb"\ufffd"
# Of orjson.dumps, where the standard library goes further; a test holds the words.
BEYOND_ORJSON = ("Integer exceeds 64-bit range", "Recursion limit reached")


def loads(body: bytes | str, *, lenient: bool = False) -> Any:
    """Parse JSON. Integers are exact, keys keep their order, and of two equal keys the last one counts.

    Half a surrogate pair, which no database and no provider can take as text, is read as U+FFFD.

    Args:
        body: JSON, in UTF-8 where it is bytes.
        lenient: Take NaN and infinities too, as some providers send them in answers.

    Raises: json.JSONDecodeError: it is no JSON, is nested more than about a thousand levels deep, or holds an integer
        of more digits than Python reads (4,300). The error does not hold the document.

    >>> loads(b'{"wei": 100000000000000000001}')
    {'wei': 100000000000000000001}
    """
    raw = body.encode(errors="surrogatepass") if isinstance(body, str) else body
    with suppress(msgspec.DecodeError, RecursionError):
        return DECODER.decode(raw)
    return _loads_slowly(raw, lenient=lenient)


def dumps(value: Any, default: Callable[[Any], Any] | None = None) -> bytes:
    """Write JSON, compact, keys in their order. NaN and infinities are written as Python and JavaScript name them.

    ``default`` makes something that JSON holds of a value that it does not hold.

    Raises: TypeError: a value that JSON cannot hold, or one that is nested about a thousand levels deep.

    >>> dumps({"b": 10**20, "a": 1})
    b'{"b":100000000000000000000,"a":1}'
    """
    return _write(value, 0, default, sort_keys=False)


def canonical(value: Any) -> bytes:
    """Write JSON with sorted keys, for a hash or a comparison and for nothing else. Raises TypeError."""
    return _write(value, orjson.OPT_SORT_KEYS, None, sort_keys=True)


def of_whole_characters(body: bytes) -> bytes:
    r"""Return JSON in which U+FFFD stands for each half of a surrogate pair, and all else as it was.

    >>> of_whole_characters(rb'"\ud83d", "\ud83d\ude42"')
    b'"\\ufffd", "\\ud83d\\ude42"'
    """
    return ESCAPES.sub(lambda found: REPLACEMENT if found[1] else found[0], body)


def _write(value: Any, option: int, default: Callable[[Any], Any] | None, *, sort_keys: bool) -> bytes:
    try:
        written = orjson.dumps(value, default, option)
    except TypeError as error:
        if not any(words in str(error) for words in BEYOND_ORJSON):
            raise
    else:
        if b"null" not in written or not _holds_no_number(value, default):
            return written
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=default, sort_keys=sort_keys)
        return text.encode()
    except RecursionError:
        raise TypeError("nested too deeply") from None
    except UnicodeEncodeError:
        raise TypeError("text with half a surrogate pair") from None


def _loads_slowly(raw: bytes, *, lenient: bool) -> Any:
    whole, constant = of_whole_characters(raw), float if lenient else _refuse
    try:
        return json.loads(whole.decode(), parse_float=_float(lenient=lenient), parse_constant=constant)
    except json.JSONDecodeError as error:
        raise json.JSONDecodeError(error.msg, "", error.pos) from None
    except RecursionError:
        raise json.JSONDecodeError("nested too deeply", "", 0) from None
    except ValueError as error:  # no UTF-8, or an integer of more digits than Python reads
        why = "not valid UTF-8" if isinstance(error, UnicodeDecodeError) else "an integer has too many digits"
        raise json.JSONDecodeError(why, "", 0) from None


def _float(*, lenient: bool) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = float(text)
        return value if lenient or math.isfinite(value) else _refuse(text)

    return read


def _refuse(text: str) -> NoReturn:
    raise json.JSONDecodeError(f"{text[:20]} is no number of JSON", "", 0)


def _holds_no_number(value: Any, default: Callable[[Any], Any] | None) -> bool:
    """Tell whether a NaN or an infinity stands anywhere in a value that orjson has written."""
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            left += [inner for inner in each.values() if type(inner) not in PLAIN]
        elif isinstance(each, ARRAYS):
            left += [inner for inner in each if type(inner) not in PLAIN]
        elif isinstance(each, float):
            if not math.isfinite(each):
                return True
        elif default is not None and not isinstance(each, str | int | None):
            left.append(default(each))
    return False

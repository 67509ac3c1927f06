"""Which text both databases can keep: Postgres refuses NUL, and nobody can encode half a surrogate pair."""


def is_storable(text: str) -> bool:
    """Tell whether ``text`` holds neither NUL nor a lone surrogate.

    >>> [is_storable(text) for text in ("Grüße", "a" + chr(0), chr(0xD800))]
    [True, False, False]
    """
    return "\x00" not in text and (text.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in text))


def storable(text: str | None) -> str | None:
    """Return ``text`` with a stand-in for every sign that cannot be kept.

    >>> storable("broken" + chr(0) + chr(0xD800)), storable(None)
    ('broken�?', None)
    """
    if text is None or is_storable(text):
        return text
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()

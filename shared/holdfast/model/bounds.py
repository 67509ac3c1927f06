"""How large a figure may be: sums over every row stay within 64 bits, whatever a provider or a bug invents."""

MOST_TOKENS = 10**7  # of one call, in or out: beyond the context of any model
MOST_COST = 10**10  # micro-dollars of one call: ten thousand dollars
MOST_MICROS = 10**14  # of one duration: three years
MOST_COUNTED = 2**58  # of one row of a counter; the rows of all shards together are read as one figure


def bounded(figure: int, most: int) -> int:
    """Return what is stored of ``figure``: itself, or the nearest of 0 and ``most``.

    >>> [bounded(figure, MOST_TOKENS) for figure in (5, -5, 2**64)]
    [5, 0, 10000000]
    """
    return max(0, min(figure, most))

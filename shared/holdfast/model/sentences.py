"""Sentences that are put together from the words of others."""


def end_sentence(words: object) -> str:
    """Take the full stop from words of others, which stand within a sentence that ends, or goes on, by itself.

    >>> end_sentence("the maximum is 200000 tokens."), end_sentence("is that all?"), end_sentence("wait...")
    ('the maximum is 200000 tokens', 'is that all?', 'wait')
    """
    return str(words).rstrip().rstrip(".")

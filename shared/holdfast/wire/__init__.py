"""Wire formats: pure mapping between each provider's JSON and the neutral request and reply.

One package per format (``anthropic``, ``chat``, ``responses``), each with ``read_request``, ``write_request``,
``read_reply`` and ``write_reply``. What a format cannot hold is refused, or noted in a report, and never just dropped.
"""

"""The pool: asyncio-native workers that carry jobs from the lanes to the providers and their results to SQL.

``pool.py`` puts the parts together, ``fetcher.py`` starts attempts, ``attempt.py`` is the way of one job,
``sweeper.py`` mends what crashes leave behind.
"""

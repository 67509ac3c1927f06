"""What is wrong between here and a provider: checks from the name server to a call of a few tokens, and one verdict.

`status_page` and `verdict` are pure; `network`, `calls` and `checks` ask.
"""

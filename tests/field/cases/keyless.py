"""Servers that want no key: they work without one, and keep nobody else's worker from starting."""

from field.answers import chat, chat_line, one
from field.case import Case, Right

FINE = Right(calls=1, text="fine")
CASES = [
    Case("keyless", one(), [[chat()]], others=FINE, keys=()),
    Case("keyless-batch-line", {"only": chat_line()}, [[chat()]], others=FINE, keys=()),
    Case("beside-one-with-a-key", one(), [[chat()]], others=FINE),
]

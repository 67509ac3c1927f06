"""Cases that are known to end otherwise today, each with who mends it. None at the end."""

KNOWN: dict[str, str] = {}

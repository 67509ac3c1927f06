"""Which paths are whose: pages for people, and those that clients of other APIs call."""

UI, LOGIN = "/ui", "/ui/login"
CLIENTS = "/v1"


def is_page(path: str) -> bool:
    """Tell whether a path is the dashboard's.

    >>> is_page("/ui"), is_page("/ui/jobs"), is_page("/uid")
    (True, True, False)
    """
    return path == UI or path.startswith(f"{UI}/")

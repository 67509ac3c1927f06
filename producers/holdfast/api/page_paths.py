"""Which paths are pages for people: those of the dashboard."""

UI, LOGIN = "/ui", "/ui/login"


def is_page(path: str) -> bool:
    """Tell whether a path is the dashboard's.

    >>> is_page("/ui"), is_page("/ui/jobs"), is_page("/uid")
    (True, True, False)
    """
    return path == UI or path.startswith(f"{UI}/")

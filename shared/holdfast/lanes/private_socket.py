"""Where the embedded server listens: a Unix socket that this user alone can reach.

It lies in the server's own directory, of mode 0700. An address of a Unix socket holds about a hundred bytes, so where
the directory's path is longer, clients go through a short link, which lies in a directory of mode 0700 as well.
"""

import os
import socket
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

NAME = "redis.sock"
PRIVATE = 0o700
LONGEST = 107 if sys.platform == "linux" else 103  # bytes of an address: sockaddr_un, less its zero
LOOK_SECONDS = 0.5


def make_private(directory: Path) -> None:
    """Make ``directory``, which nobody else may enter. Raises OSError, also where it is another user's."""
    directory.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    if stat.S_IMODE(directory.stat().st_mode) != PRIVATE:
        directory.chmod(PRIVATE)


def socket_url(directory: Path) -> str:
    """The URL of the socket in ``directory``, for any process of this user. Raises OSError."""
    return f"unix://{quote(socket_path(directory))}"


def socket_path(directory: Path) -> str:
    """The path by which the socket in ``directory`` is reached. Raises OSError."""
    return _known_path(directory) or str(_link(directory.absolute()) / NAME)


def is_listening(directory: Path) -> bool:
    """Tell whether a server answers on the socket in ``directory``; never starts one, and makes nothing."""
    path = _known_path(directory)
    if path is None:
        return False
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(LOOK_SECONDS)
            probe.connect(path)
    except OSError:
        return False
    return True


def forget_link(directory: Path) -> None:
    """Remove the short link, if there is one."""
    link = _noted(directory.absolute())
    if link is not None:
        with suppress(OSError):
            link.unlink()
            link.parent.rmdir()


def _known_path(directory: Path) -> str | None:
    """The socket's own path, or that through the link; None where it is too long and nobody made a link."""
    place = directory.absolute() / NAME
    if len(os.fsencode(place)) <= LONGEST:
        return str(place)
    link = _noted(directory.absolute())
    return None if link is None else str(link / NAME)


def _noted(directory: Path) -> Path | None:
    """The link that somebody made before, if it still leads here and nobody else can have made it."""
    try:
        link = Path((directory / "link").read_text(encoding="utf-8"))
        holder = link.parent.lstat()
        leads_here = link.readlink() == directory
    except (OSError, ValueError):
        return None
    is_private = stat.S_ISDIR(holder.st_mode) and stat.S_IMODE(holder.st_mode) == PRIVATE
    return link if leads_here and is_private and holder.st_uid == directory.stat().st_uid else None


def _link(directory: Path) -> Path:
    """Make a link in a directory of its own and note it: cleaners of temporary files may take the last one away."""
    link = Path(tempfile.mkdtemp(prefix="holdfast-")) / "r"
    link.symlink_to(directory)
    noted = directory / f"link.{os.getpid()}"
    noted.write_text(str(link), encoding="utf-8")
    noted.replace(directory / "link")
    return link

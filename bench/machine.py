"""What figures were measured on, in words that name no host."""

import os
import platform
import re
import sqlite3
import subprocess
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("anthropic", "openai", "aiohttp", "redis", "SQLAlchemy", "psycopg")


def machine() -> str:
    """Processor, cores, memory and system."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{processor()}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}"


def processor() -> str:
    try:
        found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    except OSError:
        found = None
    return found.group(1) if found else platform.machine()


def versions() -> str:
    """Versions of Holdfast, of Python and of the packages that figures depend on."""
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"Holdfast {commit()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {packages}"


def commit() -> str:
    """The version of the tree, with the commit where it is a checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return version("holdfast")
    return f"{version('holdfast')} ({done.stdout.strip()})" if done.returncode == 0 else version("holdfast")

"""Ask a public database of advisories (OSV) about every package of requirements/run.txt and dev.txt.

    0   asked, and nothing is known against any of them
    1   something is known: each advisory is named
    75  not reached, not audited

Sends names and versions, and nothing else. HOLDFAST_ADVISORIES names another server that speaks the same language.
"""

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from sbom import ROOT, Pin, pins

SERVER = "https://api.osv.dev"
SECONDS = 10.0
MOST_BYTES = 32 * 1024 * 1024
NOT_REACHED = 75


class NotReached(Exception):
    """The database did not answer, or answered something else."""


def locked() -> list[Pin]:
    """List every pinned package once, of both locks."""
    files = (ROOT / "requirements" / f"{name}.txt" for name in ("run", "dev"))
    found = {(pin.name, pin.version): pin for file in files for pin in pins(file.read_text(encoding="utf-8"))}
    return [found[key] for key in sorted(found)]


def advisories(asked: list[Pin], server: str) -> list[list[str]]:
    """Return the names of advisories per package, in the same order. Raises NotReached."""
    queries = [{"package": {"ecosystem": "PyPI", "name": pin.name}, "version": pin.version} for pin in asked]
    request = urllib.request.Request(  # noqa: S310 - the address is ours or the operator's
        f"{server.rstrip('/')}/v1/querybatch",
        data=json.dumps({"queries": queries}).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            results = json.loads(answer.read(MOST_BYTES))["results"]
        found = [[each["id"] for each in result.get("vulns", ())] for result in results]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotReached(f"{server}: {getattr(error, 'reason', error) or type(error).__name__}") from error
    if len(found) != len(asked):
        raise NotReached(f"{server} answered {len(found)} of {len(asked)} questions")
    return found


def report(asked: Iterable[Pin], found: Iterable[list[str]]) -> list[str]:
    return [f"{pin.name} {pin.version}: {', '.join(names)}" for pin, names in zip(asked, found, strict=True) if names]


def main() -> int:
    asked = locked()
    try:
        found = advisories(asked, os.environ.get("HOLDFAST_ADVISORIES") or SERVER)
    except NotReached as error:
        sys.stderr.write(f"audit: not reached, not audited ({error})\n")
        return NOT_REACHED
    lines = report(asked, found)
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stderr.write(f"audit: {len(asked)} packages asked about, {len(lines)} with advisories\n")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())

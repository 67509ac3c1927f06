"""Write the bill of materials of what is installed to run Holdfast, or with ``--check`` tell whether it is out of date.

CycloneDX 1.6 in JSON, from requirements/run.txt (what is pinned, and by whom it is needed) and from the packages' own
metadata (licences). The same lock makes the same bytes: no date, and a serial number that is derived from the content.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

ROOT = Path(__file__).resolve().parents[1]
LOCK, BILL = ROOT / "requirements" / "run.txt", ROOT / "requirements" / "sbom.json"
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)")
VIA = re.compile(r"^\s+#\s+(?:via\s+)?([a-z0-9][a-z0-9._-]*)(?:\s+\(.*\))?$")
OURS = "holdfast"


@dataclass(frozen=True, slots=True)
class Pin:
    """One package of the lock, and the packages that need it."""

    name: str
    version: str
    needed_by: tuple[str, ...]

    @property
    def reference(self) -> str:
        return f"pkg:pypi/{self.name}@{self.version}"


def pins(lock: str) -> Iterator[Pin]:
    """Read the pins of a lock file, in its order."""
    blocks = re.split(r"(?m)^(?=[a-z0-9])", lock)
    for block in blocks:
        found = PIN.match(block)
        if found:
            names = (match[1] for line in block.splitlines()[1:] if (match := VIA.match(line)) and match[1] != "via")
            yield Pin(found[1], found[2], tuple(sorted(set(names))))


def licences(pin: Pin, known: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Say under which licence a package stands: its SPDX expression, or what its author wrote instead.

    One that this platform does not install keeps what the bill said of it before.
    """
    try:
        about = metadata(pin.name)
    except PackageNotFoundError:
        kept: list[dict[str, Any]] = known.get(pin.reference, {}).get("licenses", [])
        return kept
    if expression := about.get("License-Expression"):
        return [{"expression": str(expression)}]
    classified = [each.rpartition(" :: ")[2] for each in about.get_all("Classifier") or () if "License ::" in each]
    said = str(about.get("License") or "").strip().partition("\n")[0]
    name = " / ".join(sorted(classified)) or said[:80]
    return [{"license": {"name": name}}] if name else []


def bill(lock: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """Make the bill of materials of a lock. ``known``: the components of the last one by reference."""
    found = sorted(pins(lock), key=lambda pin: pin.name)
    needs: Mapping[str, list[str]] = {
        name: sorted(pin.reference for pin in found if name in pin.needed_by)
        for name in [OURS, *(p.name for p in found)]
    }
    digest = sha256(lock.encode()).hexdigest()
    root = {"type": "application", "name": OURS, "bom-ref": OURS}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, digest)}",
        "version": 1,
        "metadata": {"component": root, "properties": [{"name": "holdfast:lock-sha256", "value": digest}]},
        "components": [component(pin, known) for pin in found],
        "dependencies": [
            {"ref": OURS, "dependsOn": needs[OURS]},
            *({"ref": pin.reference, "dependsOn": needs[pin.name]} for pin in found),
        ],
    }


def component(pin: Pin, known: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "library", "name": pin.name, "version": pin.version}
    made |= {"purl": pin.reference, "bom-ref": pin.reference}
    said = licences(pin, known)
    return made | ({"licenses": said} if said else {})


def written() -> str:
    """Write the bill of the lock as it is."""
    last = json.loads(BILL.read_text(encoding="utf-8"))["components"] if BILL.exists() else []
    made = bill(LOCK.read_text(encoding="utf-8"), {each["bom-ref"]: each for each in last})
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    made = written()
    if "--check" not in sys.argv:
        BILL.write_text(made, encoding="utf-8")
        return 0
    if not BILL.exists() or BILL.read_text(encoding="utf-8") != made:
        sys.stderr.write("requirements/sbom.json is out of date: run `make sbom`\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The bill of materials is that of the lock, and an audit says whether it asked anybody."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

REQUIREMENTS = Path(__file__).parents[2] / "requirements"
BILL = json.loads((REQUIREMENTS / "sbom.json").read_text(encoding="utf-8"))
RUN, CLOUDS, DEV = ((REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8") for name in ("run", "clouds", "dev"))
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)


def pinned(lock: str) -> list[str]:
    return sorted(f"pkg:pypi/{name}@{version}" for name, version in PIN.findall(lock))


def listed() -> list[str]:
    return sorted(each["purl"] for each in BILL["components"])


def test_every_pinned_package_is_in_the_bill_once_with_a_licence() -> None:
    assert listed() == pinned(RUN), "sbom.json is out of date: run `make sbom`"
    assert [each["name"] for each in BILL["components"] if not each.get("licenses")] == []


def test_a_changed_lock_is_noticed() -> None:
    assert listed() != pinned(RUN.replace("h11==0.16.0", "h11==0.15.0"))
    assert listed() != pinned(RUN.replace("h11==0.16.0", "# h11"))


def test_everything_in_the_bill_is_needed_by_something() -> None:
    known = {each["bom-ref"] for each in BILL["components"]}
    needed = {name for each in BILL["dependencies"] for name in each.get("dependsOn", ())}
    assert needed == known
    assert {each["ref"] for each in BILL["dependencies"]} == known | {"root-component"}


def test_what_is_audited_for_development_holds_all_that_runs() -> None:
    assert set(pinned(RUN)) < set(pinned(CLOUDS)) < set(pinned(DEV))


@pytest.mark.parametrize("lock", [RUN, CLOUDS, DEV])
def test_every_pin_has_its_hashes_and_no_lock_names_an_index(lock: str) -> None:
    blocks = re.split(r"(?m)^(?=[a-z0-9])", lock)[1:]
    assert [block.split("\n", 1)[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert "index-url" not in lock.replace("--no-emit-index-url", "")
    assert "://" not in lock


class Advisories(BaseHTTPRequestHandler):
    """Knows something against one package."""

    against = "nothing"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        found = {"vulns": [{"id": "X-1", "affected": []}]}
        known = found if asked["package"]["name"] == self.against else {}
        body = b"<html>" if self.against == "html" else json.dumps(known).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Advisories) as listening:
        Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()


def audit(server: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"HOLDFAST_ADVISORIES": server, "NO_PROXY": "*"}
    return subprocess.run([REQUIREMENTS / "audit"], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("against", "status"), [("nothing", 0), ("aiohttp", 1), ("html", 75)])
def test_an_audit_tells_what_is_known_and_whether_it_was_answered(server, monkeypatch, against, status) -> None:
    monkeypatch.setattr(Advisories, "against", against)
    ended = audit(server)
    assert ended.returncode == status, ended.stderr
    assert ("X-1" in ended.stdout) == (status == 1)
    assert ("not reached, not audited" in ended.stderr) == (status == 75)


def test_an_audit_that_reaches_nobody_says_so_with_a_status_of_its_own() -> None:
    ended = audit("http://127.0.0.1:9")
    assert (ended.returncode, "not reached, not audited" in ended.stderr) == (75, True)

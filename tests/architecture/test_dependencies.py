"""The bill of materials is that of the lock, and an audit says whether it asked anybody."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

ROOT = Path(__file__).parents[2]
BILL = json.loads((ROOT / "requirements" / "sbom.json").read_text(encoding="utf-8"))


def run(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "requirements" / f"{script}.py", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_bill_is_the_locks() -> None:
    checked = run("sbom", "--check")
    assert checked.returncode == 0, checked.stderr


def test_every_pinned_package_is_in_the_bill_once_with_a_licence() -> None:
    lock = (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8")
    pinned = sorted(
        line.split(" ")[0].split("[")[0] for line in lock.splitlines() if "==" in line and line[0].isalnum()
    )
    listed = [f"{each['name']}=={each['version']}" for each in BILL["components"]]
    assert sorted(listed) == sorted(pin.split(";")[0] for pin in pinned)
    assert [each["name"] for each in BILL["components"] if not each.get("licenses")] == []


def test_everything_in_the_bill_is_needed_by_something() -> None:
    known = {each["bom-ref"] for each in BILL["components"]}
    needed = {name for each in BILL["dependencies"] for name in each["dependsOn"]}
    assert needed == known
    assert {each["ref"] for each in BILL["dependencies"]} == known | {"holdfast"}


def test_a_changed_lock_is_noticed(tmp_path: Path) -> None:
    """The scripts look beside themselves, so a copy of the folder is a project of its own."""
    (tmp_path / "requirements").mkdir()
    for name in ("sbom.py", "sbom.json", "run.txt"):
        (tmp_path / "requirements" / name).write_bytes((ROOT / "requirements" / name).read_bytes())
    lock = tmp_path / "requirements" / "run.txt"
    lock.write_text(lock.read_text().replace("h11==0.16.0", "h11==0.15.0"))
    checked = subprocess.run(
        [sys.executable, tmp_path / "requirements" / "sbom.py", "--check"], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, "make sbom" in checked.stderr) == (1, True)


class Advisories(BaseHTTPRequestHandler):
    """Knows something against one package."""

    against = "nothing"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))["queries"]
        results = [{"vulns": [{"id": "X-1"}]} if each["package"]["name"] == self.against else {} for each in asked]
        body = b"<html>" if self.against == "html" else json.dumps({"results": results}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Advisories) as listening:
        Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}"
        listening.shutdown()


@pytest.mark.parametrize(("against", "status"), [("nothing", 0), ("aiohttp", 1), ("html", 75)])
def test_an_audit_tells_what_is_known_and_whether_it_was_answered(server, monkeypatch, against, status) -> None:
    monkeypatch.setattr(Advisories, "against", against)
    ended = run("audit", HOLDFAST_ADVISORIES=server, NO_PROXY="*")
    assert ended.returncode == status
    assert ("X-1" in ended.stdout) == (status == 1)
    assert ("not reached, not audited" in ended.stderr) == (status == 75)


def test_an_audit_that_reaches_nobody_says_so_with_a_status_of_its_own() -> None:
    ended = run("audit", HOLDFAST_ADVISORIES="http://127.0.0.1:9", NO_PROXY="*")
    assert (ended.returncode, "not reached, not audited" in ended.stderr) == (75, True)

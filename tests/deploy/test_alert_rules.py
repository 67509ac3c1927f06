"""Alert rules and the Grafana dashboard name metrics and labels that are exposed, and each alert says what to do."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

DOCS = Path(__file__).parents[2] / "docs"
RULES = DOCS / "alerts" / "rules.yml"
HOWTO = (DOCS / "howto" / "prometheus.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(holdfast_\w+)` \| (gauge|counter|histogram) \|([^|]*)\|", re.MULTILINE)
METRICS = {
    name: (kind, set(re.findall(r"\w+", labels)))
    for name, kind, labels in ROW.findall((DOCS / "metrics.md").read_text(encoding="utf-8"))
}
LABELS = re.compile(r"(?:by|on) \(([^)]*)\)|(\w+)=~?\"")
ALERTS = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"][0]["rules"]
PANELS = json.loads((DOCS / "alerts" / "grafana.json").read_text(encoding="utf-8"))["panels"]


def expressions() -> Iterator[str]:
    for alert in ALERTS:
        yield alert["expr"]
    for panel in PANELS:
        yield from (target["expr"] for target in panel["targets"])


def metrics_of(expression: str) -> set[str]:
    return {name.removesuffix("_bucket") for name in re.findall(r"holdfast_\w+", expression)}


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_an_expression_names_what_is_exposed(expression: str) -> None:
    names = metrics_of(expression)
    assert names
    assert names <= METRICS.keys()
    known = {"le"}.union(*(METRICS[name][1] for name in names))
    asked = {word.strip() for by, word in LABELS.findall(expression) for word in (by.split(",") if by else [word])}
    assert asked <= known
    rated = {name for name in names if f"rate({name}" in expression or f"increase({name}" in expression}
    assert {METRICS[name][0] for name in rated} <= {"counter", "histogram"}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_leads_to_what_is_to_be_done(alert: dict) -> None:
    page, _, heading = alert["annotations"]["runbook_url"].partition("#")
    assert page == "docs/howto/prometheus.md"
    assert heading == alert["alert"].lower()
    assert f"\n## {alert['alert']}\n" in HOWTO
    labels = set(re.findall(r"\$labels\.(\w+)", alert["annotations"]["summary"]))
    assert labels <= set().union(*(METRICS[name][1] for name in metrics_of(alert["expr"])))


def test_the_page_has_no_heading_without_an_alert() -> None:
    assert set(re.findall(r"^## (\w+)$", HOWTO, re.MULTILINE)) == {alert["alert"] for alert in ALERTS}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool is installed (Debian: prometheus)")
def test_promtool_accepts_the_rules() -> None:
    checked = subprocess.run(["promtool", "check", "rules", RULES], capture_output=True, check=False)
    assert checked.returncode == 0, checked.stdout.decode() + checked.stderr.decode()

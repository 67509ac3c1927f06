"""A status page's claims, whatever its shape; what cannot be read says nothing."""

from typing import Any

import orjson
import pytest

from holdfast.diagnose.status_page import StatusLevel, StatusPage, read_status_page

HOST = "api.anthropic.com"


def page(components: dict[str, str], incidents: list[dict[str, Any]] | None = None, indicator: str = "none") -> bytes:
    return orjson.dumps(
        {
            "page": {"name": "Claude"},
            "status": {"indicator": indicator},
            "components": [{"name": name, "status": status} for name, status in components.items()],
            "incidents": incidents or [],
        }
    )


def read(body: bytes) -> StatusPage:
    found = read_status_page(body, HOST)
    assert found is not None
    return found


def test_a_page_where_all_is_well_tells_of_no_incident() -> None:
    found = read(page({"claude.ai": "operational", "Claude API (api.anthropic.com)": "operational"}))
    assert (found.claims, found.api, found.web) == (
        "no_provider_incident",
        StatusLevel.OPERATIONAL,
        StatusLevel.OPERATIONAL,
    )


def test_an_outage_of_the_web_alone_leaves_the_api_well_whatever_the_indicator_says() -> None:
    incident = {"name": "Login fails", "status": "identified", "impact": "major", "components": [{"name": "claude.ai"}]}
    found = read(page({"claude.ai": "major_outage", "Claude API": "operational"}, [incident], "major"))
    assert (found.claims, found.api, found.web) == ("web_only", StatusLevel.OPERATIONAL, StatusLevel.MAJOR_OUTAGE)
    assert found.incidents == ("Login fails",)


def test_the_level_is_the_worst_of_component_and_incident_where_the_indicator_understates() -> None:
    incident = {"name": "Errors", "status": "investigating", "impact": "major", "components": [{"name": "Claude API"}]}
    found = read(page({"Claude API": "degraded_performance", "claude.ai": "operational"}, [incident], "minor"))
    assert (found.claims, found.api) == ("provider_incident", StatusLevel.PARTIAL_OUTAGE)


def test_an_incident_that_names_no_part_concerns_the_api_too() -> None:
    found = read(
        page({"Claude API": "operational"}, [{"name": "Trouble", "status": "investigating", "impact": "minor"}])
    )
    assert (found.claims, found.api) == ("provider_incident", StatusLevel.DEGRADED)


@pytest.mark.parametrize("over", [{"status": "resolved"}, {"status": "postmortem"}, {"end": "2026-01-01T00:00:00Z"}])
def test_what_is_over_is_no_incident(over: dict[str, str]) -> None:
    incident = {"name": "Errors", "impact": "critical", "components": [{"name": "Claude API"}], **over}
    assert read(page({"Claude API": "operational"}, [incident])).claims == "no_provider_incident"


def test_a_part_of_endpoints_is_the_api() -> None:
    found = read(page({"Chat Completions": "partial_outage", "ChatGPT": "operational", "Login": "operational"}))
    assert (found.claims, found.api, found.web) == (
        "provider_incident",
        StatusLevel.PARTIAL_OUTAGE,
        StatusLevel.OPERATIONAL,
    )


def test_a_page_that_tells_no_parts_apart_speaks_of_the_api() -> None:
    assert read(page({"All systems": "major_outage"})).api is StatusLevel.MAJOR_OUTAGE
    assert read(orjson.dumps({"status": {"indicator": "critical"}})).api is StatusLevel.MAJOR_OUTAGE


def test_other_shapes_are_read_as_well() -> None:
    google = [
        {"external_desc": "Vertex", "status_impact": "SERVICE_OUTAGE", "affected_products": [{"title": "Gemini API"}]}
    ]
    assert read(orjson.dumps(google)).api is StatusLevel.MAJOR_OUTAGE
    instatus = {
        "page": {"name": "x", "status": "HASISSUES"},
        "activeIncidents": [{"name": "Slow", "impact": "MAJOROUTAGE"}],
    }
    assert read(orjson.dumps(instatus)).api is StatusLevel.MAJOR_OUTAGE
    ongoing = {"ongoing_incidents": [{"name": "E", "affected_components": [{"name": "API"}], "status": "identified"}]}
    assert read(orjson.dumps(ongoing)).claims == "provider_incident"


@pytest.mark.parametrize(
    "body", [b"", b"<html>Human Verification</html>", b"[1]", b'"x"', b"{}", b'{"error": "no"}', b"null"]
)
def test_what_is_no_status_page_says_nothing(body: bytes) -> None:
    assert read_status_page(body, HOST) is None


@pytest.mark.parametrize(
    "junk", [{"components": 7}, {"components": [{"name": 1, "status": 2}], "incidents": [None, 3]}]
)
def test_junk_in_a_page_is_passed_over(junk: dict[str, Any]) -> None:
    assert read(orjson.dumps({"status": {"indicator": "none"}, **junk})).claims == "no_provider_incident"

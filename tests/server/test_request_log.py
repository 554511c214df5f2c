"""The log: enough to find a call again, and nothing about a patient."""

import logging
import re

import pytest
from flask.testing import FlaskClient

from tests.server.charts import INSTANCE, dermatomyositis, hook_call

LINE = re.compile(r"event=request( [a-z_]+=[\w.,-]+)+")


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


def lines(log: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in log.records if record.name == "myositis_cds.requests"]


@pytest.mark.requirement("L-4", "LOG-04")
def test_a_call_is_logged_in_one_line(client: FlaskClient, log: pytest.LogCaptureFixture) -> None:
    client.post("/cds-services/myositis-patient-view", json=hook_call("p1", dermatomyositis()))
    (line,) = lines(log)
    assert LINE.fullmatch(line)
    for part in ("endpoint=hooks.call", "method=POST", "status=200", "service=myositis-patient-view", f"instance={INSTANCE}"):
        assert part in line.split()


def test_a_refusal_is_logged_with_its_status(client: FlaskClient, log: pytest.LogCaptureFixture) -> None:
    client.post("/cds-services/myositis-patient-view", data=b"{")
    (line,) = lines(log)
    assert "status=415" in line.split()


def test_health_checks_leave_no_line(client: FlaskClient, log: pytest.LogCaptureFixture) -> None:
    client.get("/health/live")
    assert lines(log) == []


@pytest.mark.requirement("L-4", "LOG-02", "LOG-04")
def test_nothing_that_a_caller_chose_is_written(client: FlaskClient, log: pytest.LogCaptureFixture) -> None:
    canary = "Mustermann"
    chart = dermatomyositis(canary)
    chart["patient"]["name"] = [{"family": canary}]
    chart["conditions"]["entry"][0]["resource"]["note"] = [{"text": canary}]
    chart[canary] = canary
    body = hook_call(canary, chart, hookInstance=f"{canary}\nevent=forged")
    client.post("/cds-services/myositis-patient-view", json=body, headers={"Authorization": canary})
    client.post(f"/assess?patient={canary}&asOf={canary}", json=body)
    client.get(f"/{canary}?{canary}")
    client.open("/", method=canary.upper())
    assert len(lines(log)) == 4
    assert "instance=not-a-uuid" in lines(log)[0].split()
    assert canary.lower() not in log.text.lower()
    assert all(LINE.fullmatch(line) for line in lines(log))


@pytest.mark.requirement("LOG-05", "LOG-04")
@pytest.mark.parametrize("header", ["traceparent", "tracestate", "baggage", "X-Request-ID", "X-Correlation-ID", "X-B3-TraceId"])
def test_a_trace_header_is_neither_logged_nor_sent_back(client: FlaskClient, log: pytest.LogCaptureFixture, header: str) -> None:
    canary = "4bf92f3577b34da6a3ce929d0e0e4736"
    response = client.get("/cds-services", headers={header: f"00-{canary}-00f067aa0ba902b7-01"})
    assert response.status_code == 200
    assert canary not in log.text
    assert canary not in str(response.headers) + response.text

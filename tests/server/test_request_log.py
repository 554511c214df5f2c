"""The log: enough to find a call again, and nothing about a patient."""

import logging
import re

import pytest
from flask.testing import FlaskClient

from server.observing.logs import logger
from tests.server.charts import INSTANCE, dermatomyositis, hook_call
from tests.server.logged import fields_of, lines

LINE = re.compile(r"event=request( [a-z_]+=[\w.,-]+)+")


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.mark.requirement("L-4", "LOG-04")
def test_a_call_is_logged_in_one_line(client: FlaskClient, log: pytest.LogCaptureFixture) -> None:
    client.post("/cds-services/myositis-patient-view", json=hook_call("p1", dermatomyositis()))
    (line,) = lines(log, "requests")
    assert LINE.fullmatch(line)
    for part in ("endpoint=hooks.call", "method=POST", "status=200", "service=myositis-patient-view", f"instance={INSTANCE}"):
        assert part in line.split()


def test_a_refusal_is_logged_with_its_status(client: FlaskClient, log: pytest.LogCaptureFixture) -> None:
    client.post("/cds-services/myositis-patient-view", data=b"{")
    (line,) = lines(log, "requests")
    assert "status=415" in line.split()


def test_health_checks_leave_no_line(client: FlaskClient, log: pytest.LogCaptureFixture) -> None:
    client.get("/health/live")
    assert lines(log, "requests") == []


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
    assert len(lines(log, "requests")) == 4
    assert "instance=not-a-uuid" in lines(log, "requests")[0].split()
    assert canary.lower() not in log.text.lower()
    assert all(LINE.fullmatch(line) for line in lines(log, "requests"))


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.requirement("LOG-05", "LOG-04")
@pytest.mark.parametrize("header", ["tracestate", "baggage", "X-Request-ID", "X-Correlation-ID", "X-B3-TraceId"])
def test_a_header_for_tracing_is_neither_logged_nor_sent_back(
    client: FlaskClient, log: pytest.LogCaptureFixture, header: str
) -> None:
    response = client.get("/cds-services", headers={header: f"00-{TRACE}-00f067aa0ba902b7-01"})
    assert response.status_code == 200
    assert TRACE not in log.text
    assert TRACE not in str(response.headers) + response.text


@pytest.mark.requirement("LOG-05")
def test_the_number_of_the_callers_trace_is_in_the_line_and_nowhere_else(
    client: FlaskClient, log: pytest.LogCaptureFixture
) -> None:
    response = client.get("/cds-services", headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})
    (record,) = log.records
    assert fields_of(record)["trace"] == TRACE
    assert TRACE not in str(response.headers) + response.text


@pytest.mark.requirement("LOG-05", "LOG-04")
@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        "canary",
        f"00-{TRACE}",
        f"01-{TRACE}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
    ],
)
def test_what_is_no_trace_is_not_written_down(client: FlaskClient, log: pytest.LogCaptureFixture, traceparent: str) -> None:
    client.get("/cds-services", headers={"traceparent": traceparent})
    (record,) = log.records
    assert "trace" not in fields_of(record)


@pytest.mark.requirement("L-4")
def test_every_line_of_a_request_has_its_number_and_no_two_requests_have_the_same(
    client: FlaskClient, log: pytest.LogCaptureFixture
) -> None:
    wrong = hook_call("p1", dermatomyositis("other"))
    for _ in range(2):
        client.post("/cds-services/myositis-patient-view", json=wrong)
    numbers = [fields_of(record)["request"] for record in log.records]
    assert [record.name.partition(".")[2] for record in log.records] == ["security", "requests"] * 2
    assert numbers[0] == numbers[1] != numbers[2] == numbers[3]


def test_what_a_thread_does_after_a_request_bears_no_number_of_it(client: FlaskClient, log: pytest.LogCaptureFixture) -> None:
    client.get("/cds-services", headers={"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"})
    logger("store").error("store_trouble", doing="purge")
    (of_request, afterwards) = map(fields_of, log.records)
    assert {"request", "trace"} <= of_request.keys()
    assert not {"request", "trace"} & afterwards.keys()

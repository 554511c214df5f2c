"""The application as a whole: paths, methods and headers."""

import pytest
from flask.testing import FlaskClient

from tests.server.answers import check_answer, diagnostics


@pytest.mark.parametrize("path", ["/nothing", "/cds-services/a/b", "/assess/", "/health", "/health//live"])
def test_an_unknown_path_is_not_found(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    check_answer(response.status_code, response.headers, response.get_data())
    assert diagnostics(response.get_json()).startswith("MYO-1404")


@pytest.mark.requirement("H-4", "IN-11")
@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/cds-services", "GET"),
        ("GET", "/cds-services/myositis-patient-view", "POST"),
        ("PUT", "/cds-services/myositis-patient-view", "POST"),
        ("GET", "/assess", "POST"),
        ("DELETE", "/health/live", "GET"),
    ],
)
def test_a_wrong_method_is_answered_with_the_right_ones(client: FlaskClient, method: str, path: str, allowed: str) -> None:
    response = client.open(path, method=method)
    assert response.status_code == 405
    check_answer(response.status_code, response.headers, response.get_data())
    assert allowed in response.headers["Allow"]


@pytest.mark.requirement("HDR-01", "L-5")
@pytest.mark.parametrize("path", ["/", "/cds-services", "/health/live", "/nothing"])
def test_every_answer_carries_the_security_headers(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "Access-Control-Allow-Origin" not in headers

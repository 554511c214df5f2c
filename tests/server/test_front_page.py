"""What a person sees who opens the service in a browser."""

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from server.application import create_app
from tests.server.conftest import CONFIG


def test_the_front_page_names_the_services_and_the_limits(client: FlaskClient) -> None:
    response = client.get("/")
    assert response.content_type == "text/html; charset=utf-8"
    assert "POST /cds-services/myositis-patient-view" in response.text
    assert "Not a medical device" in response.text


def test_there_is_no_sandbox_outside_the_demo(client: FlaskClient) -> None:
    assert client.get("/sandbox/").status_code == 404


@pytest.mark.parametrize("path", ["/", "/sandbox", "/sandbox/"])
def test_in_the_demo_it_leads_to_the_sandbox(path: str) -> None:
    client = create_app(replace(CONFIG, sandbox_url="http://127.0.0.1:8001/")).test_client()
    response = client.get(path)
    assert response.status_code == 302
    assert response.headers["Location"] == "http://127.0.0.1:8001/"

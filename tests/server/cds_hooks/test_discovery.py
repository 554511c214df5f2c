"""Discovery, as an EHR reads it."""

import re

import pytest
from flask.testing import FlaskClient

from tests.server.answers import check_answer, empty_members
from tests.server.charts import PREFETCH_KEYS


@pytest.mark.parametrize("path", ["/cds-services", "/cds-services/"])
def test_there_are_three_services_of_one_hook_each(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    check_answer(response.status_code, response.headers, response.get_data())
    services = {service["id"]: service["hook"] for service in response.get_json()["services"]}
    assert services == {
        "myositis-patient-view": "patient-view",
        "myositis-order-select": "order-select",
        "myositis-order-sign": "order-sign",
    }


def test_each_service_says_what_it_is_and_what_it_needs(client: FlaskClient) -> None:
    discovery = client.get("/cds-services").get_json()
    assert list(empty_members(discovery)) == []
    for service in discovery["services"]:
        assert set(service) == {"hook", "title", "description", "id", "prefetch", "usageRequirements", "version"}
        assert re.fullmatch(r"[a-z0-9-]+", service["id"])
        assert list(service["prefetch"]) == list(PREFETCH_KEYS.values())
        assert service["version"] == "2.0.1"
        assert "Not a medical device" in service["usageRequirements"]


def test_every_service_that_is_listed_answers(client: FlaskClient) -> None:
    for service in client.get("/cds-services").get_json()["services"]:
        call = {
            "hook": service["hook"],
            "hookInstance": "1",
            "context": {"patientId": "p1", "draftOrders": {"resourceType": "Bundle"}},
            "prefetch": {"conditions": None},
        }
        response = client.post(f"/cds-services/{service['id']}", json=call)
        assert (response.status_code, response.get_json()) == (200, {"cards": []})

"""Discovery, as an EHR reads it."""

import re

import pytest
from flask.testing import FlaskClient

from tests.server.answers import empty_members
from tests.server.charts import PREFETCH_KEYS, Json


@pytest.fixture
def services(client: FlaskClient) -> list[Json]:
    found: list[Json] = client.get("/cds-services").get_json()["services"]
    return found


@pytest.mark.requirement("D-1", "D-2", "D-10", "D-11", "X-2", "I-1.2", "K-9")
@pytest.mark.parametrize("path", ["/cds-services", "/cds-services/"])
def test_there_are_three_services_of_one_hook_each(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert set(response.get_json()) == {"services"}
    services = {service["id"]: service["hook"] for service in response.get_json()["services"]}
    assert services == {
        "myositis-patient-view": "patient-view",
        "myositis-order-select": "order-select",
        "myositis-order-sign": "order-sign",
    }


@pytest.mark.requirement("D-4", "D-5", "D-6", "D-7", "D-9", "D-16", "G-3", "I-1.3")
def test_each_service_says_what_it_is_and_what_it_needs(services: list[Json]) -> None:
    assert list(empty_members(services)) == []
    for service in services:
        assert set(service) == {"hook", "title", "description", "id", "prefetch", "usageRequirements", "version"}
        assert re.fullmatch(r"[a-z0-9-]+", service["id"])
        assert list(service["prefetch"]) == list(PREFETCH_KEYS.values())
        assert "Not a medical device" in service["usageRequirements"]


@pytest.mark.requirement("D-8")
def test_each_service_says_which_cds_hooks_it_speaks(services: list[Json]) -> None:
    assert [service["version"] for service in services] == ["2.0.1"] * 3


def test_the_front_page_names_every_service(client: FlaskClient, services: list[Json]) -> None:
    page = client.get("/").text
    for service in services:
        assert service["id"] in page
        assert service["hook"] in page


@pytest.mark.requirement("D-4", "H-1", "R-12")
def test_every_service_that_is_listed_answers(client: FlaskClient, services: list[Json]) -> None:
    for service in services:
        call = {
            "hook": service["hook"],
            "hookInstance": "1",
            "context": {"patientId": "p1", "draftOrders": {"resourceType": "Bundle"}},
            "prefetch": {"conditions": None},
        }
        response = client.post(f"/cds-services/{service['id']}", json=call)
        assert (response.status_code, response.get_json()) == (200, {"cards": []})

"""Services are registered by their discovery URL, and what is wrong with one is said in a sentence."""

import pytest

from sandbox.desk import DeskError
from sandbox.services import Services, discovery_url
from sandbox.signing import Signer
from tests.sandbox.conftest import PREFETCH, StubService
from tests.sandbox.desks import KEYS, URL

SIGNER = Signer(KEYS, URL)


def test_a_service_is_found_by_the_base_url_too_and_known_by_what_discovery_says(service: StubService) -> None:
    service.discovery["services"][0] |= {"title": "Myositis", "usageRequirements": "FHIR R4"}
    (provider,) = Services(SIGNER, [service.url]).providers()
    (found,) = provider.services
    assert provider.discovery_url == f"{service.url}/cds-services"
    assert (found.title, found.usage, found.prefetch) == ("Myositis", "FHIR R4", PREFETCH)
    assert found.url() == f"{service.url}/cds-services/myositis-patient-view"


def test_any_other_service_can_be_added_read_again_and_removed(service: StubService) -> None:
    services = Services(SIGNER)
    added = services.add(f" {service.url}/cds-services/ ")
    assert [one.hook for one in added.services] == ["patient-view"]
    service.offer("patient-view", "order-sign")
    assert len(services.with_hook("order-sign")) == 0
    assert len(services.read(added.discovery_url).services) == 2
    assert len(services.with_hook("order-sign")) == 1
    services.remove(added.discovery_url)
    assert services.providers() == []


def test_one_service_is_registered_once_only_and_none_can_be_removed_twice(service: StubService) -> None:
    services = Services(SIGNER, [service.url])
    with pytest.raises(DeskError, match="registered already"):
        services.add(f"{service.url}/cds-services")
    services.remove(f"{service.url}/cds-services")
    for refused in (services.remove, services.read):
        with pytest.raises(DeskError, match="not registered"):
            refused(f"{service.url}/cds-services")


def test_discovery_is_read_again_after_a_minute_and_at_once_after_trouble(service: StubService) -> None:
    now = [0.0]
    services = Services(SIGNER, [service.url], clock=lambda: now[0])
    sound = service.discovery
    service.discovery = {}
    assert "no list of services" in services.providers()[0].trouble
    service.discovery = sound
    assert len(services.providers()[0].services) == 1
    service.offer("patient-view", "order-sign")
    now[0] = 59.0
    assert len(services.providers()[0].services) == 1
    now[0] = 60.0
    assert len(services.providers()[0].services) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cds.example",
        "ftp://cds.example",
        "javascript:alert(1)",
        "http://",
        "http://a b",
        "http://me@cds.example",
        "http://x?y=1",
        "http://x#y",
        "http://[x",
        "http://x:0",
        "http://a..b/",
        "http://.a",
        f"http://{'a' * 64}.example",
        "http://x\\y",
        "http://x\ny",
    ],
)
def test_what_is_no_web_address_is_refused(text: str) -> None:
    with pytest.raises(DeskError, match="no address of a service"):
        discovery_url(text)


@pytest.mark.parametrize(
    ("discovery", "said"),
    [
        ({"services": "none"}, "no list of services"),
        ({"services": [1]}, "no list of services"),
        ({"services": [{"hook": "patient-view"}]}, "service number 1 has no id, or no hook"),
        ({"services": [{"id": "../../elsewhere", "hook": "y"}]}, "id of service number 1 is no part of an address"),
        ({"services": [{"id": "..", "hook": "y"}]}, "id of service number 1 is no part of an address"),
        ({"services": [{"id": "a?b", "hook": "y"}]}, "id of service number 1 is no part of an address"),
        ({"services": [{"id": "x", "hook": ""}]}, "service number 1 has no id, or no hook"),
        (
            {"services": [{"id": "x", "hook": "y", "prefetch": ["Patient"]}]},
            "prefetch templates of service number 1 are not texts",
        ),
        ({"services": [{"id": "x", "hook": "y", "prefetch": {"a": 1}}]}, "prefetch templates of service number 1 are not texts"),
    ],
)
def test_a_discovery_that_cannot_be_used_is_explained(service: StubService, discovery: object, said: str) -> None:
    service.discovery = discovery
    (provider,) = Services(SIGNER, [service.url]).providers()
    assert said in provider.trouble
    assert provider.services == ()

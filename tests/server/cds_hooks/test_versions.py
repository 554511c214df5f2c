"""Requests of every version of CDS Hooks are answered, with what 2.0.1 and the ballot of 3.0 allow in common."""

import pytest

from tests.server.cds_hooks.test_calls import Call, cards
from tests.server.contract.sent import all_sent, sent

VERSIONS = ["1.0", "1.1", "2.0.1", "3.0-ballot"]


def test_there_is_a_request_of_every_version() -> None:
    assert all_sent("version-") == [f"version-{version}" for version in VERSIONS]


@pytest.mark.requirement("R-1", "R-3", "R-8", "R-9", "T-2", "T-3", "V-1", "V-2", "E-1", "H-1")
@pytest.mark.parametrize("version", VERSIONS)
def test_a_request_of_any_version_is_answered_with_cards(call: Call, version: str) -> None:
    assert cards(call(sent(f"version-{version}")))


@pytest.mark.requirement("R-8", "V-1", "R-7")
@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_later_version_may_add_changes_no_card(call: Call, version: str) -> None:
    body = sent(f"version-{version}")
    before = cards(call(body))
    for place in (body, body["context"], body["fhirAuthorization"]):
        place |= {"extension": {"com.example.new": {"a": 1}}, "somethingNew": [None, {"a": ""}]}
    assert cards(call(body)) == before


@pytest.mark.requirement("E-5", "K-8")
@pytest.mark.parametrize("said", ["1.0", "1.1", "2.0"])
def test_a_version_in_epics_extension_changes_no_card(call: Call, said: str) -> None:
    names = ("com.epic.cdshooks.request.cds-hooks-specification-version", "com.epic.cdshooks.request.bpa-trigger-action")
    body = sent("version-1.0")
    assert cards(call(body | {"extension": dict.fromkeys(names, said)})) == cards(call(body))


@pytest.mark.requirement("R-12")
@pytest.mark.parametrize("nothing", [None, {"resourceType": "Bundle", "type": "searchset", "total": 0}])
def test_no_such_data_may_be_said_as_1_0_does_and_as_2_0_1_does(call: Call, nothing: object) -> None:
    body = sent("version-1.0")
    body["prefetch"]["conditions"] = nothing
    assert cards(call(body)) == []

"""What our own answers are held against: the schemas of cards notice what breaks a rule, of 2.0.1 and of 1.0."""

from typing import Any

import pytest

from tests.server.answers import check_schema
from tests.server.charts import Json

CARD: Json = {
    "uuid": "9f5c8a3e-6a0c-4d8e-9c1b-2f5d7c1f0a11",
    "summary": "Says something",
    "indicator": "info",
    "source": {
        "label": "A guideline",
        "topic": {"system": "https://myositis-cds.example/fhir/CodeSystem/card-topic", "code": "lungFunction", "display": "Lung"},
    },
}
ACTION: Json = {"type": "create", "description": "Order it", "resource": {"resourceType": "ServiceRequest"}}
SUGGESTION: Json = {"label": "Order it", "uuid": "9f5c8a3e-6a0c-4d8e-9c1b-2f5d7c1f0a12", "actions": [ACTION]}
LINK: Json = {"label": "Read it", "url": "https://journal.example/1", "type": "absolute"}


def suggesting(**action: Any) -> Json:
    return CARD | {"suggestions": [SUGGESTION | {"actions": [action]}], "selectionBehavior": "any"}


@pytest.mark.parametrize(
    "card",
    [
        pytest.param(CARD, id="the least"),
        pytest.param(
            CARD | {"suggestions": [SUGGESTION], "selectionBehavior": "any", "links": [LINK]}, id="with suggestion and link"
        ),
        pytest.param(suggesting(type="delete", description="Remove it", resourceId="MedicationRequest/1"), id="delete"),
        pytest.param(
            suggesting(type="delete", description="Remove it", resource="MedicationRequest/1"), id="delete as until 1.1"
        ),
        pytest.param(CARD | {"extension": {"com.example.type": {"a": 1}}}, id="an extension agreed with a client"),
    ],
)
def test_a_card_as_the_standard_has_it_passes(card: Json) -> None:
    check_schema("response", {"cards": [card]})


@pytest.mark.requirement("CARD-05", "G-2", "C-4", "C-6", "C-7", "C-10", "C-12", "C-13", "C-30", "C-31", "C-33", "C-40", "C-41")
@pytest.mark.parametrize(
    "card",
    [
        pytest.param(CARD | {"uuid": "1"}, id="no uuid"),
        pytest.param(CARD | {"summary": " "}, id="blank summary"),
        pytest.param(CARD | {"summary": "x" * 140}, id="140 characters"),
        pytest.param(CARD | {"indicator": "success"}, id="indicator of long ago"),
        pytest.param(CARD | {"detail": ""}, id="empty detail"),
        pytest.param(CARD | {"source": {"label": "A guideline"}}, id="no topic"),
        pytest.param(CARD | {"source": {"topic": CARD["source"]["topic"]}}, id="no label"),
        pytest.param(CARD | {"suggestions": [SUGGESTION]}, id="suggestions without selectionBehavior"),
        pytest.param(CARD | {"selectionBehavior": "any"}, id="selectionBehavior without suggestions"),
        pytest.param(CARD | {"suggestions": [], "selectionBehavior": "any"}, id="no suggestion in the list"),
        pytest.param(CARD | {"suggestions": [SUGGESTION], "selectionBehavior": "at-most-one"}, id="selectionBehavior of 1.0"),
        pytest.param(CARD | {"links": []}, id="no link in the list"),
        pytest.param(CARD | {"links": [LINK | {"type": "launch"}]}, id="a link of another type"),
        pytest.param(CARD | {"links": [LINK | {"url": "javascript:alert(1)"}]}, id="a link that is none"),
        pytest.param(CARD | {"links": [LINK | {"appContext": "x"}]}, id="appContext on an absolute link"),
        pytest.param(CARD | {"overrideReasons": [{"code": "a", "system": "https://x.example"}]}, id="reason without display"),
        pytest.param(CARD | {"extension": {}}, id="empty extension"),
        pytest.param(CARD | {"topic": "x"}, id="a member that does not exist"),
        pytest.param(suggesting(type="create", description="Order it"), id="create without a resource"),
        pytest.param(suggesting(type="create", resource={"resourceType": "Basic"}), id="no description"),
        pytest.param(suggesting(type="update", description="Change it", resource="Basic/1"), id="resource as text"),
        pytest.param(suggesting(type="delete", description="Remove it"), id="delete without saying what"),
        pytest.param(
            suggesting(type="delete", description="Remove", resourceId="Basic/1", resource={}), id="delete with resource"
        ),
        pytest.param(suggesting(**ACTION, resourceId="Basic/1"), id="create with resourceId"),
        pytest.param(suggesting(type="replace", description="Change it", resource={"resourceType": "Basic"}), id="another type"),
    ],
)
def test_a_card_that_breaks_a_rule_is_noticed(card: Json) -> None:
    with pytest.raises(AssertionError, match="response: "):
        check_schema("response", {"cards": [card]})


OLD_CARD: Json = {"summary": "Says something", "indicator": "info", "source": {"label": "A guideline"}}


def old_suggesting(**action: Any) -> Json:
    return suggesting(**action)["suggestions"][0]


@pytest.mark.requirement("V-1", "C-12", "C-33")
def test_a_card_as_1_0_has_it_passes_as_such_and_not_as_one_of_2_0_1() -> None:
    delete = old_suggesting(type="delete", description="Remove it", resource="MedicationRequest/1")
    for card in (OLD_CARD, OLD_CARD | {"suggestions": [SUGGESTION, delete], "selectionBehavior": "at-most-one", "links": [LINK]}):
        check_schema("response-1.0", {"cards": [card]})
        with pytest.raises(AssertionError, match="response: "):
            check_schema("response", {"cards": [card]})


@pytest.mark.requirement("CARD-05", "V-1", "C-3", "C-4", "C-6", "C-7", "C-10", "C-12", "C-13", "C-22", "C-33", "C-42")
@pytest.mark.parametrize(
    "card",
    [
        pytest.param(OLD_CARD | {"uuid": CARD["uuid"]}, id="uuid"),
        pytest.param(OLD_CARD | {"source": CARD["source"]}, id="topic"),
        pytest.param(OLD_CARD | {"source": {}}, id="no label"),
        pytest.param({"summary": "x", "source": {"label": "x"}}, id="no indicator"),
        pytest.param(OLD_CARD | {"summary": "x" * 140}, id="140 characters"),
        pytest.param(
            OLD_CARD | {"overrideReasons": [{"system": "https://x.example", "code": "c", "display": "d"}]}, id="reasons"
        ),
        pytest.param(OLD_CARD | {"suggestions": [SUGGESTION]}, id="suggestions without selectionBehavior"),
        pytest.param(OLD_CARD | {"suggestions": [SUGGESTION], "selectionBehavior": "any"}, id="selectionBehavior of 1.1"),
        pytest.param(
            OLD_CARD | {"suggestions": [SUGGESTION | {"isRecommended": True}], "selectionBehavior": "at-most-one"},
            id="isRecommended",
        ),
        pytest.param(
            OLD_CARD
            | {
                "suggestions": [old_suggesting(type="delete", description="Remove it", resourceId="MedicationRequest/1")],
                "selectionBehavior": "at-most-one",
            },
            id="resourceId",
        ),
        pytest.param(OLD_CARD | {"links": [LINK | {"autolaunchable": True}]}, id="autolaunchable"),
    ],
)
def test_a_card_that_1_0_does_not_know_so_is_noticed(card: Json) -> None:
    with pytest.raises(AssertionError, match=r"response-1\.0: "):
        check_schema("response-1.0", {"cards": [card]})

"""Suggestions are applied as the specification says, whole or not at all, and to this patient's orders only."""

from contextlib import suppress
from copy import deepcopy
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from hypothesis import given
from hypothesis import strategies as st

from sandbox.cards import Card, Suggestion
from sandbox.desk import DeskError
from sandbox.suggestions import check_choice, effect_of, reference_to_delete
from tests.sandbox.desks import AS_OF

Json = dict[str, Any]

PATIENT = "somebody"
PFT = {"resourceType": "ServiceRequest", "status": "draft", "intent": "proposal", "code": {"text": "lung function test"}}
DRUG = {
    "resourceType": "MedicationRequest",
    "status": "draft",
    "intent": "proposal",
    "medicationCodeableConcept": {"coding": [{"code": "6851", "display": "Methotrexate"}]},
    "subject": {"reference": f"Patient/{PATIENT}"},
}
PAD = {"draft-1": DRUG | {"id": "draft-1"}, "draft-2": PFT | {"id": "draft-2"}}


def create(resource: object) -> Json:
    """An action that creates."""
    return {"type": "create", "resource": resource}


def applied(*actions: Json, at_once: bool = False) -> Any:
    """What the actions come to."""
    return effect_of([{"description": ""} | action for action in actions], PAD, PATIENT, at_once=at_once, today=AS_OF)


def test_a_test_that_is_suggested_when_a_chart_is_opened_is_ordered_at_once() -> None:
    effect = applied(create(PFT), at_once=True)
    assert effect.pad == PAD
    (order,) = effect.orders
    assert (order["status"], order["intent"], order["authoredOn"]) == ("active", "order", "2026-11-22")
    assert order["subject"] == {"reference": f"Patient/{PATIENT}"}
    assert effect.done == ("Ordered: lung function test.",)
    get_fhir_model_class("ServiceRequest").model_validate(order)


@pytest.mark.parametrize(("resource", "at_once"), [(DRUG, True), (DRUG, False), (PFT, False)])
def test_a_drug_always_and_anything_while_ordering_becomes_a_draft(resource: Json, at_once: bool) -> None:
    effect = applied(create(resource), at_once=at_once)
    assert effect.orders == ()
    (added,) = effect.pad.keys() - PAD.keys()
    assert effect.pad[added]["id"] == added
    assert effect.pad[added]["status"] == "draft"


def test_a_drug_without_words_is_called_by_the_name_of_its_code() -> None:
    effect = applied(create(DRUG))
    assert effect.done == ("Drafted: Methotrexate.",)
    assert [one["medicationCodeableConcept"].get("text") for one in effect.pad.values() if one["id"] not in PAD] == [
        "Methotrexate"
    ]


def test_an_update_replaces_the_whole_draft() -> None:
    noted = DRUG | {"id": "draft-1", "note": [{"text": "once weekly"}], "status": "active"}
    effect = applied({"type": "update", "resource": noted})
    assert list(effect.pad) == list(PAD)
    assert effect.pad["draft-1"]["note"] == [{"text": "once weekly"}]
    assert effect.pad["draft-1"]["status"] == "draft"


@pytest.mark.parametrize(
    "named",
    [
        {"resourceId": "MedicationRequest/draft-1"},
        {"resourceId": "https://ehr.example/fhir/MedicationRequest/draft-1"},
        {"resource": "MedicationRequest/draft-1"},
        {"resource": {"resourceType": "MedicationRequest", "id": "draft-1"}},
    ],
    ids=["resourceId", "absolute", "Epic", "whole resource"],
)
def test_a_delete_takes_the_draft_off_the_pad_in_the_form_of_any_version(named: Json) -> None:
    assert reference_to_delete({"type": "delete"} | named) == "MedicationRequest/draft-1"
    assert list(applied({"type": "delete"} | named).pad) == ["draft-2"]


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (create(None), "cannot be ordered"),
        (create({"resourceType": "Appointment"}), "cannot be ordered"),
        (create({"resourceType": "ServiceRequest"}), "in words what is to be ordered"),
        (create(PFT | {"code": {"coding": "x"}}), "in words what is to be ordered"),
        (create(PFT | {"code": {}}), "in words what is to be ordered"),
        (create(PFT | {"note": "x"}), "not written as FHIR"),
        (create(DRUG | {"dosageInstruction": {}}), "not written as FHIR"),
        (create(DRUG | {"dosageInstruction": [{"timing": 5}]}), "not written as FHIR"),
        (create(DRUG | {"dosageInstruction": [{"timing": {"repeat": []}}]}), "not written as FHIR"),
        (create(PFT | {"priority": {"a": 1}}), "not written as FHIR"),
        (create(PFT | {"status": 5}), "not written as FHIR"),
        (create(PFT | {"invented": "x"}), "not written as FHIR"),
        (create(DRUG | {"dosageInstruction": [{"text": ["x"]}]}), "not written as FHIR"),
        ({"type": "update", "resource": DRUG | {"id": "draft-1", "note": [{"text": 5}]}}, "not written as FHIR"),
        (create(PFT | {"subject": {"reference": "Patient/another"}}), "for another patient"),
        (create(PFT | {"subject": "Patient/somebody"}), "for another patient"),
        ({"type": "update", "resource": PFT | {"id": "draft-1"}}, "not on the pad any more"),
        ({"type": "update", "resource": PFT}, "not on the pad any more"),
        ({"type": "delete", "resourceId": "MedicationRequest/gone"}, "not on the pad any more"),
        ({"type": "delete", "resourceId": "ServiceRequest/draft-1"}, "not on the pad any more"),
        ({"type": "delete"}, "does not say which draft"),
        ({"type": "delete", "resourceId": 5}, "does not say which draft"),
    ],
)
def test_what_cannot_be_applied_is_said_and_nothing_before_it_is_done_either(action: Json, said: str) -> None:
    with pytest.raises(DeskError, match=said):
        applied(create(PFT), action, at_once=True)


def test_all_actions_of_a_suggestion_are_applied_together() -> None:
    effect = applied({"type": "delete", "resourceId": "MedicationRequest/draft-1"}, create(PFT), create(DRUG), at_once=True)
    assert len(effect.orders) == 1
    assert "draft-1" not in effect.pad
    assert len(effect.pad) == 2
    assert effect.done == ("Taken off the pad: Methotrexate.", "Ordered: lung function test.", "Drafted: Methotrexate.")


def test_a_suggestion_without_actions_changes_nothing() -> None:
    assert effect_of((), PAD, PATIENT, at_once=True, today=AS_OF).pad == PAD


@pytest.mark.parametrize(("behaviour", "may"), [("any", True), ("at-most-one", False)])
def test_the_card_says_whether_a_second_suggestion_may_be_taken(behaviour: str, may: bool) -> None:
    card = Card(behaviour=behaviour, suggestions=(Suggestion("same", "A"), Suggestion("same", "B")))
    assert check_choice(card, 0, frozenset()).label == "A"
    if may:
        assert check_choice(card, 1, frozenset([0])).label == "B"
    else:
        with pytest.raises(DeskError, match="one can be taken at most"):
            check_choice(card, 1, frozenset([0]))
    with pytest.raises(DeskError, match="taken already"):
        check_choice(card, 0, frozenset([0]))
    with pytest.raises(DeskError, match="no such suggestion"):
        check_choice(card, 2, frozenset())


KINDS = ("create", "update", "delete")
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["MedicationRequest", "draft-1", "Patient/somebody"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "resourceType",
                    "id",
                    "code",
                    "medicationCodeableConcept",
                    "text",
                    "coding",
                    "display",
                    "subject",
                    "reference",
                    "note",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(
    st.lists(
        st.builds(lambda kind, r, i: {"type": kind, "resource": r, "resourceId": i}, st.sampled_from(KINDS), JSON, JSON),
        max_size=3,
    )
)
def test_whatever_a_service_suggests_it_is_applied_or_refused_in_words(actions: list[Json]) -> None:
    before = deepcopy(PAD)
    with suppress(DeskError):
        effect = applied(*actions, at_once=True)
        assert all(one["subject"] == {"reference": f"Patient/{PATIENT}"} for one in effect.orders)
    assert before == PAD

"""Every hypothesis becomes one FHIR resource that our own reader understands as what it says."""

from datetime import date

import pytest
from fhir.resources.R4B import get_fhir_model_class

from fhir_profiles.hypotheses import HypothesisError, Supposition, hypotheses, hypothetical_resource, supposition
from fhir_profiles.reader import read_record
from fhir_profiles.record import PatientRecord
from tests.for_each import for_each
from tests.patient import AS_OF, Json, terminology

EVERYTHING = [Supposition(one, answer) for one in hypotheses().values() for answer in one.answers.values()]


def resource_of(supposed: Supposition, as_of: date = AS_OF) -> Json:
    return hypothetical_resource(supposed, terminology(), patient_id="1", as_of=as_of)


def read(supposed: Supposition) -> PatientRecord:
    return read_record([resource_of(supposed)], terminology=terminology(), as_of=AS_OF, patient_id="1")


@for_each("supposed", EVERYTHING, ids=lambda one: one.id)
def test_it_is_valid_fhir_of_that_day_and_of_this_patient(supposed: Supposition) -> None:
    resource = resource_of(supposed)
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    assert resource["subject"] == {"reference": "Patient/1"}
    assert AS_OF.isoformat() in (resource.get("effectiveDateTime"), resource.get("recordedDate"))
    assert f"{resource['resourceType']}/{resource['id']}" == supposed.reference
    assert resource["id"].startswith("hypothetical-")


@for_each("supposed", EVERYTHING, ids=lambda one: one.id)
def test_it_is_read_as_its_concept_alone_without_an_issue(supposed: Supposition) -> None:
    record = read(supposed)
    assert record.issues == ()
    filed = [fact for table in (record.results, record.diagnoses, record.refuted) for facts in table.values() for fact in facts]
    assert {fact.reference for fact in filed} == {supposed.reference}
    assert {concept for fact in filed for concept in fact.concepts} == {supposed.hypothesis.concept}
    assert not any(fact.matched_by_text for fact in filed)


@for_each("supposed", EVERYTHING, ids=lambda one: one.id)
def test_its_answer_is_read_as_it_is_meant(supposed: Supposition) -> None:
    record, answer, concept = read(supposed), supposed.answer, supposed.hypothesis.concept
    if answer.verification == "refuted":
        assert concept in record.refuted
    elif answer.verification:
        (fact,) = record.diagnoses[concept]
        assert fact.is_active
        assert not fact.suspected
        assert fact.severity == ("severe" if answer.severity else None)
    else:
        (result,) = record.results[concept]
        if answer.id in ("positive", "negative"):
            assert result.answer == answer.id
        if answer.id in ("high", "low", "normal"):
            assert result.interpretation == answer.id
        if answer.number is not None:
            assert result.quantity is not None
            assert result.quantity.value == answer.number
        if answer.value:
            assert result.answer_concepts == (answer.value,)


def test_every_code_is_of_the_value_set_of_its_concept() -> None:
    for supposed in EVERYTHING:
        (coding,) = resource_of(supposed)["code"]["coding"]
        listed = {(one.system, one.code) for one in terminology().codings(supposed.hypothesis.concept)}
        assert (coding["system"], coding["code"]) in listed


@pytest.mark.parametrize("words", ["", ":", "anti-mda5", "anti-mda5:", "anti-mda5:high", "unicorn:present", "ANTI-MDA5:positive"])
def test_what_cannot_be_supposed_is_refused_without_repeating_it(words: str) -> None:
    with pytest.raises(HypothesisError) as refused:
        supposition(words)
    assert str(refused.value) == "there is no such supposition; choose one from the list"


def test_a_supposition_is_named_as_it_stands_in_the_address() -> None:
    assert [supposition(one.id) for one in EVERYTHING] == EVERYTHING

"""What was considered and is silent: nothing is left out, nothing is said twice, and the reason is the part that decides."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cards.considered import Considered, Silence, considered
from cards.knowledge import knowledge
from cards.recommend import recommend
from cards.verdicts import Case
from fhir_profiles.findings import Answer
from tests.cards.test_laws import KINDS, charts
from tests.patient import Patient
from tests.server.charts import slugs
from tests.server.evaluated import evaluated

KNOWN = knowledge()
EVERY = {rule.id for rule in (*KNOWN.rules, *KNOWN.rules_off)}
WOMAN = Patient(born="1980-02-01").has("dermatomyositis", since="2026-05")


def silent(patient: Patient) -> dict[str, Considered]:
    """What says nothing about a patient, by statement."""
    return {one.id: one for one in considered(patient.assess(), KNOWN)}


def assert_each_statement_is_in_exactly_one(assessment, said) -> None:
    ids = [one.id for one in considered(assessment, KNOWN)]
    speaking = {recommendation.id for recommendation in said}
    assert len(ids) == len(set(ids))
    assert not speaking & set(ids)
    assert speaking & EVERY | set(ids) == EVERY


@pytest.mark.parametrize("slug", slugs())
def test_every_statement_speaks_about_a_story_or_says_why_it_is_silent(slug: str) -> None:
    evaluation = evaluated(slug)
    assert_each_statement_is_in_exactly_one(evaluation.assessment, evaluation.recommendations)


@settings(max_examples=30, deadline=None)
@given(charts(), st.sampled_from((None, *KINDS)))
def test_every_statement_speaks_or_is_silent_for_a_reason(patient: Patient, failed: str | None) -> None:
    """Also where a kind of data could not be read."""
    patient = patient.failed(failed) if failed else patient
    assessment = patient.assess()
    assert_each_statement_is_in_exactly_one(assessment, recommend(assessment, known=KNOWN))
    assert all(one.reason and one.reason[-1] not in " :;,(" for one in considered(assessment, KNOWN))


@settings(max_examples=30, deadline=None)
@given(charts())
def test_a_statement_is_for_others_exactly_where_its_condition_says_no(patient: Patient) -> None:
    assessment = patient.assess()
    found = {one.id: one.answer for one in considered(assessment, KNOWN)}
    for rule in KNOWN.rules:
        asks_others = rule.said_by or "settled" in str(rule.trigger)  # `settled` asks what the other statements came to
        if rule.id in found and not asks_others and not rule.concerns_everyone:
            assert (found[rule.id] is Silence.NO) is (rule.when(Case(assessment, {})).answer is Answer.NO)


@pytest.mark.parametrize(
    ("statement", "answer", "reason"),
    [
        ("bmj-ibm-physical-activity", Silence.NO, "not for this patient: no confirmed inclusion body myositis"),
        ("enders-2017-refer-specialised-centre", Silence.NO, "not for this patient: aged 18 or over (age 46)"),
        ("titulaer-2011-dm-colonoscopy-over-50", Silence.NO, "not for this patient: under 50 (age 46)"),
        ("titulaer-2011-dm-testes-ultrasound-men-under-50", Silence.NO, "not for this patient: not male"),
        (
            "drake-1996-nutrition",
            Silence.NO,
            "not for this patient: no weight loss on record; no dysphagia on record",
        ),
        (
            "bmj-aza-adverse-effects",
            Silence.ELSEWHERE,
            "said by the drug-safety rules, where such a drug is given or written "
            "(can cause leukopenia, liver damage, gastrointestinal symptoms)",
        ),
        (
            "titulaer-2011-dm-every-6-months-4-years",
            Silence.SATISFIED,
            "its calendar begins after 2 rounds of screening imaging; on record: 0",
        ),
    ],
)
def test_the_reason_is_the_part_that_decides(statement: str, answer: Silence, reason: str) -> None:
    found = silent(WOMAN)[statement]
    assert (found.answer, found.reason) == (answer, reason)


def test_a_part_that_holds_and_must_not_is_said_with_what_shows_it() -> None:
    refractory = WOMAN.strength("proximal", 4).stopped("methotrexate", because="ineffective")
    found = silent(refractory)["drake-1996-glucocorticoids"]
    assert found.reason.startswith("not for this patient: failure or intolerance of first-line treatment on record (methotrexate")
    assert [item.reference.split("/")[0] for item in found.because] == ["MedicationRequest"]


def test_what_is_done_is_satisfied_and_says_when() -> None:
    found = silent(WOMAN.had("physiotherapy", on="2026-10-05"))["drake-1996-physical-therapy"]
    assert (found.answer, found.reason) == (Silence.SATISFIED, "physiotherapy done on 5 October 2026")
    assert found.because[0].reference


def test_what_is_ordered_is_satisfied_and_says_so() -> None:
    found = silent(WOMAN.ordered("physiotherapy", on="2026-11-15"))["drake-1996-physical-therapy"]
    assert (found.answer, found.reason) == (Silence.SATISFIED, "physiotherapy ordered on 15 November 2026")


def test_a_calendar_that_has_not_come_round_says_when_it_will() -> None:
    measured = WOMAN.strength("proximal", 4, on="2026-11-10")
    found = silent(measured)["alexanderson-2007-measure-schedule"]
    assert found.answer is Silence.SATISFIED
    assert found.reason == "measure of activity or disability done on 10 November 2026, next due from 1 May 2027"


def test_a_repeat_that_is_ordered_says_so() -> None:
    ordered = WOMAN.had("ct_chest_abdomen_pelvis", on="2026-06-10").had("mammography", on="2026-06-10")
    ordered = ordered.had("pelvic_ultrasound", on="2026-06-10").ordered("ct_chest_abdomen_pelvis", on="2026-11-15")
    found = silent(ordered)["titulaer-2011-dm-repeat-3-6-months"]
    assert found.reason == "screening imaging done on 10 June 2026, already ordered again"


def test_advice_against_what_is_not_taken_is_followed() -> None:
    found = silent(Patient(born="1955-01-01").has("inclusion_body_myositis"))["donofrio-2009-no-ivig-ibm"]
    assert found.answer is Silence.SATISFIED
    assert found.reason.startswith("followed: none of what it advises against is being taken (")


def test_a_statement_that_is_switched_off_is_named_as_off() -> None:
    (first, *others) = KNOWN.rules
    without = replace(KNOWN, rules=tuple(others), off=(*KNOWN.off, first))
    found = {one.id: one for one in considered(WOMAN.assess(), without)}
    assert found[first.id].answer is Silence.OFF
    assert found.keys() >= {rule.id for rule in KNOWN.rules_off}


def test_nothing_was_held_against_a_patient_who_has_died() -> None:
    assessment = WOMAN.assess()
    assert considered(replace(assessment, record=replace(assessment.record, is_deceased=True)), KNOWN) == ()

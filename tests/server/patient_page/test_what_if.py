"""What if: a supposition adds one fact to a copy, changes nothing else, and is written nowhere."""

from copy import deepcopy
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_profiles.hypotheses import Supposition, hypotheses
from fhir_profiles.record import PatientRecord
from server.patient_page.difference import difference
from server.patient_page.missing_data import MOST_EVALUATED, missing_data
from server.patient_page.page import render
from server.patient_page.supposing import MOST_SUPPOSED, as_it_is, asked_by, suppose
from server.patient_page.what_if import what_if
from tests.patient import Patient
from tests.server.charts import slugs
from tests.server.patient_page.html_pages import ReadPage
from tests.server.patient_page.patients import opened, opened_patient, story_page

CLASSIC = "classic-dermatomyositis"
EVERYTHING = [Supposition(one, answer) for one in hypotheses().values() for answer in one.answers.values()]


def without(record: PatientRecord, references: set[str]) -> PatientRecord:
    """The record without the facts of these resources."""
    filed = ("diagnoses", "refuted", "drugs", "results", "events", "orders", "intolerances", "refusals")
    kept = {}
    for name in filed:
        by_concept = {
            concept: tuple(fact for fact in facts if fact.reference not in references)
            for concept, facts in getattr(record, name).items()
        }
        kept[name] = {concept: facts for concept, facts in by_concept.items() if facts}
    return replace(record, **kept)


@settings(max_examples=60)
@given(
    slug=st.sampled_from(slugs()), supposed=st.lists(st.sampled_from(EVERYTHING), max_size=4, unique_by=lambda s: s.hypothesis.id)
)
def test_a_supposition_adds_its_fact_and_changes_nothing_else_of_the_record(slug: str, supposed: list[Supposition]) -> None:
    patient = opened(slug)
    parts, real = deepcopy(patient.parts), patient.evaluation.record
    found = suppose(patient, supposed)
    assert without(found.record, {one.reference for one in supposed}) == real
    assert patient.parts == parts
    assert patient.evaluation.record is real
    if not supposed:
        assert found == as_it_is(patient)


@settings(max_examples=20)
@given(supposed=st.lists(st.sampled_from(EVERYTHING), min_size=1, max_size=4, unique_by=lambda s: s.hypothesis.id))
def test_the_order_of_suppositions_does_not_matter(supposed: list[Supposition]) -> None:
    patient = opened(CLASSIC)
    assert suppose(patient, supposed).recommendations == suppose(patient, supposed[::-1]).recommendations


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_address_is_read(supposed: str, further: str) -> None:
    asked = asked_by({"suppose": supposed, "and": further})
    assert len(asked.supposed) <= MOST_SUPPOSED
    assert asked_by({"suppose": asked.words}).supposed == asked.supposed


def test_no_supposition_is_the_chart_as_it_is() -> None:
    patient = opened(CLASSIC)
    assert what_if(patient, {}).changed is None
    nothing = difference(as_it_is(patient), suppose(patient, []), patient.basis.knowledge)
    assert nothing.is_advice_the_same
    assert nothing.findings == ()


def test_anti_mda5_positive_changes_the_advice_and_the_chart_stays_as_it_is() -> None:
    patient = opened(CLASSIC)
    before = deepcopy(patient.evaluation.record)
    changed = what_if(patient, {"suppose": "anti-mda5:positive"}).changed
    assert changed is not None
    assert (
        changed.findings[0]
        == "Phenotype: anti-MDA5 dermatomyositis would hold (worked out from results, beside the recorded diagnosis)"
    )
    assert [one.id for one in changed.appears] == ["acr-chest-2023-screening"]
    assert not changed.is_advice_the_same
    assert patient.evaluation.record == before


def test_the_page_says_that_it_supposes_and_shows_the_chart_below_unchanged() -> None:
    plain, supposing = story_page(CLASSIC), render(opened(CLASSIC), {"suppose": "anti-mda5:positive"}, "en")
    assert "Supposition, nothing is written" not in plain
    assert "Supposition, nothing is written" in supposing
    assert "Observation/hypothetical-anti-mda5" in supposing
    assert "acr-chest-2023-screening" in supposing
    for section in ("now", "phenotype", "timeline", "disagreements", "scores"):
        of_plain, of_supposing = (
            ReadPage(html[html.index(f'id="{section}"') :][:60000].split("</section>")[0]).text for html in (plain, supposing)
        )
        assert of_plain == of_supposing


def test_several_suppositions_hold_together_and_each_can_be_taken_back() -> None:
    asked = what_if(opened(CLASSIC), {"suppose": "anti-mda5:positive,fvc:low", "and": "pregnancy:pregnant"})
    assert [one.others for one in asked.chosen] == [
        "fvc:low,pregnancy:pregnant",
        "anti-mda5:positive,pregnancy:pregnant",
        "anti-mda5:positive,fvc:low",
    ]
    assert asked.changed is not None
    assert any("Pregnancy: yes" in line for line in asked.changed.findings)
    assert any("lung function" in line for line in asked.changed.findings)


def test_the_later_answer_of_one_datum_holds() -> None:
    assert asked_by({"suppose": "anti-mda5:positive", "and": "anti-mda5:negative"}).words == "anti-mda5:negative"


def test_what_cannot_be_supposed_is_left_out_and_said() -> None:
    page = ReadPage(render(opened(CLASSIC), {"suppose": "anti-mda5:maybe,unicorn:present"}, "en"))
    assert "cannot be supposed" in page.text
    assert "supposed" not in page.ids


def test_pregnancy_supposed_sets_teratogenic_drugs_aside() -> None:
    changed = what_if(opened(CLASSIC), {"suppose": "pregnancy:pregnant"}).changed
    assert changed is not None
    assert any(line.startswith("Methotrexate: would be set aside") for line in changed.options)


def test_a_diagnosis_of_inclusion_body_myositis_supposed_takes_immunosuppression_away() -> None:
    changed = what_if(opened(CLASSIC), {"suppose": "inclusion-body-myositis:present"}).changed
    assert changed is not None
    assert "Methotrexate: would no longer be an option" in changed.options
    assert not any("would be an option" in line for line in changed.options)


def test_each_missing_datum_is_shown_with_what_each_answer_would_change() -> None:
    (pregnancy, *_) = missing_data(opened(CLASSIC))
    assert pregnancy.text == "Pregnancy: nothing on record"
    assert [one.answer for one in pregnancy.consequences] == ["pregnant", "not pregnant"]
    assert any("IVIG may be used alone in pregnancy" in line for line in pregnancy.consequences[0].changes)
    assert any("nothing more to check before an order" in line for line in pregnancy.consequences[1].changes)


@pytest.mark.parametrize("slug", slugs())
def test_everything_that_is_missing_is_listed_and_no_more_is_worked_out_than_time_allows(slug: str) -> None:
    patient = opened(slug)
    listed = missing_data(patient)
    asked = {item.text for r in patient.evaluation.recommendations for item in r.missing}
    assert {text[:1].lower() + text[1:] for text in asked} <= {one.text[:1].lower() + one.text[1:] for one in listed}
    assert sum(bool(one.consequences) for one in listed) <= MOST_EVALUATED


def test_data_that_were_not_supplied_can_be_supposed_without_making_the_rest_look_complete() -> None:
    patient = opened_patient(Patient().has("dermatomyositis", since="2026-08").without("Observation"))
    found = suppose(patient, [Supposition(hypotheses()["anti-mda5"], hypotheses()["anti-mda5"].answers["positive"])])
    assert found.record.inputs == patient.evaluation.record.inputs
    assert found.assessment.features["raised-creatine-kinase"].standing == "not supplied"
    assert found.assessment.phenotype("anti-mda5-dermatomyositis") is not None


@pytest.mark.parametrize(
    ("slug", "supposed"),
    [
        ("mda5-amyopathic-rapid-ild", "interstitial-lung-disease:absent"),
        ("mda5-amyopathic-rapid-ild", "rapidly-progressive-ild:absent"),
        ("mda5-amyopathic-rapid-ild", "anti-mda5:negative"),
        ("dermatomyositis-pregnant", "pregnancy:not-pregnant"),
        ("dermatomyositis-refractory-severe", "proximal-strength:grade-5"),
    ],
)
def test_a_supposition_against_the_chart_is_not_said_to_change_nothing(slug: str, supposed: str) -> None:
    changed = what_if(opened(slug), {"suppose": supposed}).changed
    assert changed is not None
    assert changed.opposed[0].startswith("The chart says the opposite (")
    page = render(opened(slug), {"suppose": supposed}, "en")
    assert "No advice would change." not in page.split('id="supposed"')[1].split("</section>")[0]


def test_a_pregnancy_is_not_supposed_of_a_man() -> None:
    def offered(slug: str) -> set[str]:
        return {choice.value.split(":")[0] for _, choices in what_if(opened(slug), {}).choices for choice in choices}

    assert "pregnancy" in offered(CLASSIC)
    assert not {"pregnancy", "breastfeeding"} & offered("anti-tif1-gamma-dermatomyositis-man")

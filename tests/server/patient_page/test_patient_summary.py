"""The summary for the patient: short words, nothing that the evaluation does not say, no dose, no treatment that is not taken."""

import re
from itertools import chain

from server.patient_page.patient_summary import patient_summary, render_summary
from server.patient_page.plain_language import plain_words
from tests.for_each import for_each
from tests.patient import Patient
from tests.server.charts import slugs
from tests.server.patient_page.html_pages import ReadPage
from tests.server.patient_page.patients import opened, opened_patient

WORDS = plain_words()


def text_of(slug: str) -> str:
    return " ".join(ReadPage(render_summary(opened(slug), "en")).text.split())


def test_everything_that_can_be_said_has_plain_words() -> None:
    known = opened("healthy").basis.knowledge
    assert set(WORDS.phenotypes) == set(known.definitions.phenotypes["precedence"])
    assert set(WORDS.topics) == set(known.topics)
    tests = {key for key, entry in known.orders.items() if entry["resource"] == "ServiceRequest"}
    assert set(WORDS.orders) == tests
    assert set(WORDS.features) <= set(opened("classic-dermatomyositis").evaluation.assessment.features)


def test_the_words_name_no_treatment_no_dose_and_no_outlook() -> None:
    known = opened("healthy").basis.knowledge
    drugs = {title for t in known.treatments.values() for title in re.findall(r"[a-z]{6,}", t.title.casefold())}
    drugs -= {
        "surgery",
        "topical",
        "intravenous",
        "systemic",
        "vaccine",
        "influenza",
        "oral",
        "stated",
        "hepatitis",
        "route",
        "therapy",
    }
    entries = chain.from_iterable(table.values() for table in (WORDS.phenotypes, WORDS.features, WORDS.orders, WORDS.topics))
    for text in chain.from_iterable(entry.values() for entry in entries):
        assert not drugs & set(re.findall(r"[a-z]+", text.casefold())), text
        assert not re.search(r"\b(mg|die|death|survival|prognosis|life expectancy|incurable)\b", text.casefold()), text


def test_the_words_are_short() -> None:
    for text in chain.from_iterable(
        entry.values() for table in (WORDS.features, WORDS.orders, WORDS.topics) for entry in table.values()
    ):
        for sentence in re.split(r"(?<=[.?!]) ", text):
            assert len(sentence.split()) <= 24, sentence


@for_each("slug", slugs())
def test_every_story_has_a_valid_summary_that_names_only_what_is_taken(slug: str) -> None:
    page = ReadPage(render_summary(opened(slug), "en"))
    assert page.problems == []
    assessment = opened(slug).evaluation.assessment
    taken = {assessment.treatment.courses[agent].title for agent in assessment.treatment.current}
    for agent in opened(slug).basis.knowledge.definitions.agents.values():
        if agent.role == "immunosuppressant" and agent.title not in taken:
            assert agent.title not in page.text.casefold()
    assert not re.search(r"\d\s?mg\b", page.text)


@for_each("slug", slugs())
def test_only_tests_that_the_evaluation_proposes_are_in_it(slug: str) -> None:
    proposed = {order for r in opened(slug).evaluation.recommendations if r.holds == "yes" for order in r.orders}
    allowed = {WORDS.orders[order]["what"] for order in proposed if order in WORDS.orders}
    shown = {test.means for group in patient_summary(opened(slug)).proposed for test in group.tests}
    assert shown <= allowed
    assert {WORDS.orders[order]["title"] for order in proposed if order in WORDS.orders} == {
        entry["title"] for entry in WORDS.orders.values() if entry["what"] in shown
    } or shown == allowed


def test_a_diagnosis_that_is_only_suspected_is_said_to_be_possible() -> None:
    assert "as possible, not as certain: dermatomyositis" in text_of("dermatomyositis-suspected")
    assert "Your record names: anti-NXP2 dermatomyositis" in text_of("nxp2-dermatomyositis-dysphagia")


def test_a_disease_that_only_a_computer_worked_out_is_left_to_the_doctor() -> None:
    computed = Patient().antibody("anti_jo1", "positive").has("interstitial_lung_disease").has("arthritis")
    patient = opened_patient(computed)
    assert [p.certainty for p in patient.evaluation.assessment.phenotypes] == ["computed"]
    assert patient_summary(patient).disease is None


def test_a_healthy_person_is_told_of_no_disease() -> None:
    assert "names no muscle inflammation" in text_of("healthy")


def test_a_drug_that_the_card_says_to_stop_is_not_listed_as_treatment() -> None:
    statin = text_of("hmgcr-necrotising-myopathy-statin")
    assert "doctor should look at again soon: Statin. Ask before the next dose." in statin
    assert "What you take for it now" not in statin
    assert "Do not change or stop" not in statin
    steroid = text_of("inclusion-body-myositis-on-prednisone")
    assert "doctor should look at again soon: Glucocorticoid." in steroid
    assert "What you take for it now" not in steroid


def test_a_drug_that_is_no_treatment_of_the_disease_is_not_called_one() -> None:
    on_a_statin = Patient().has("dermatomyositis", since="2026-05").takes("atorvastatin").takes("prednisone", dose=40)
    summary = patient_summary(opened_patient(on_a_statin))
    assert [one.title for one in summary.taken] == ["Glucocorticoid"]
    assert summary.doubted == ()


def test_every_summary_says_when_to_call_for_help() -> None:
    assert "If you can hardly breathe or choke, call the emergency number." in text_of("healthy")


def test_the_words_fit_the_patient() -> None:
    lungs = "How are my lungs now, and when are they checked again?"
    assert lungs in text_of("jo1-antisynthetase-ild")
    assert lungs not in text_of("classic-dermatomyositis")
    assert "My lung disease can get worse quickly: who will see me, and how soon?" in text_of("mda5-amyopathic-rapid-ild")
    assert "Exercise, sun protection and other help" in text_of("classic-dermatomyositis")
    assert "Exercise and other help" in text_of("inclusion-body-myositis")
    assert "If you have complaints, ask your doctor what explains them." in text_of("healthy")

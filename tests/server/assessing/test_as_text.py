"""The evaluation for people at a terminal."""

import pytest

from server.assessing.as_text import assess_text
from server.evaluation import Drafts, evaluate
from tests.server.charts import ANTI_TIF1, AS_OF, HEALTHY, Json, chart, dermatomyositis, diagnosis, measured_twice, slugs


def text_of(*parts: Json) -> str:
    return assess_text(evaluate(parts, as_of=AS_OF, seed="seed"))


def titles(text: str) -> list[str]:
    return [line for line in text.splitlines()[1:-1] if line and not line.startswith(" ")]


def test_it_begins_with_who_and_when() -> None:
    assert text_of(chart(ANTI_TIF1)).startswith(f"Patient {ANTI_TIF1}: female, 62 years, as of 22 November 2026\n")


def test_it_shows_what_it_is_why_where_treatment_stands_and_the_cards() -> None:
    text = text_of(chart(ANTI_TIF1))
    assert titles(text) == ["Phenotype", "Severity", "Antibodies", "Treatment", "Classification", "Cards", "Recommendations"]
    assert "anti-TIF1-γ positive on 14 September 2026" in text
    assert f"[Condition/{ANTI_TIF1}.dermatomyositis]" in text
    for card in evaluate([chart(ANTI_TIF1)], as_of=AS_OF, seed="seed").cards:
        assert f"[{card['indicator']}] {card['summary']}" in text
        assert all(suggestion["label"] in text for suggestion in card.get("suggestions", ()))


def test_for_a_patient_without_myositis_it_is_short() -> None:
    text = text_of(chart(HEALTHY))
    assert titles(text) == ["Phenotype", "Cards"]
    assert "no myositis found in this data" in text


def test_what_the_patient_declined_is_listed() -> None:
    text = text_of(chart("dermatomyositis-declined-colonoscopy"))
    assert "Declined by the patient" in titles(text)
    assert "Colonoscopy: declined by the patient on 14 October 2026 [Procedure/" in text


def test_the_classification_says_its_score_what_is_unknown_and_that_it_is_no_diagnosis() -> None:
    text = text_of(chart("classic-dermatomyositis"))
    assert "EULAR/ACR classification criteria: 9.3 points without biopsy, definite inflammatory myopathy" in text
    assert "the score is a minimum; best reachable" in text
    assert "subgroup: dermatomyositis" in text
    assert "classification, not a diagnosis" in text


def test_a_score_without_a_rash_and_without_a_biopsy_says_what_it_needs() -> None:
    text = text_of(chart("jo1-antisynthetase-ild"))
    assert "biopsy features should be present before classifying" in text
    assert "subgroup" not in text


def test_the_improvement_names_its_range_and_its_basis() -> None:
    text = text_of(measured_twice())
    assert "Total Improvement Score 77.5 to 85.0 of 100, response: major (adult thresholds)" in text
    assert "point table: background knowledge, unverified" in text


def test_what_was_wrong_with_the_data_is_listed() -> None:
    text = text_of(chart(ANTI_TIF1), diagnosis("other"))
    assert titles(text) == ["Phenotype", "Cards", "Issues in the data"]
    assert "Condition/dm: belongs to another patient" in text


def test_an_age_that_is_open_is_given_as_a_range_or_not_at_all() -> None:
    assert text_of({"resourceType": "Patient", "id": "1", "birthDate": "1970"}).startswith(
        "Patient 1: sex not known, 55 to 56 years"
    )
    assert text_of().startswith("Patient without id: sex not known, age not known")


def test_it_ends_with_the_knowledge_and_its_limits() -> None:
    assert "not a medical device and not clinically validated" in text_of(chart(HEALTHY)).splitlines()[-1]


def test_a_file_cannot_steer_the_terminal() -> None:
    text = text_of(*_parts(dermatomyositis("p\x1b[31m1")))
    assert "\x1b" not in text
    assert "p\N{REPLACEMENT CHARACTER}[31m1" in text


def _parts(prefetch: Json) -> list[Json]:
    return list(prefetch.values())


@pytest.mark.parametrize("slug", slugs())
def test_every_patient_of_the_sandbox_can_be_shown(slug: str) -> None:
    evaluation = evaluate([chart(slug)], as_of=AS_OF, seed="seed", drafts=Drafts({"resourceType": "Bundle"}))
    assert assess_text(evaluation).startswith(f"Patient {slug}: ")
    assert text_of(chart(slug)).count("\n") > 3

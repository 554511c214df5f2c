"""What the chart does not say, says too old, or says of something else, is never taken for a no (design section 4, rule 1)."""

import pytest

from cards.recommend import recommend
from cards.to_cards import to_cards
from fhir_profiles.assess import assess
from fhir_profiles.findings import Answer
from fhir_profiles.reader import read_record
from fhir_profiles.record import InputState
from tests.cards.reading import card_about, drugs, held, offered, options, orders, topics
from tests.patient import AS_OF, Patient, terminology

WOMAN_36 = Patient(sex="female", born="1990-05-05").has("dermatomyositis", since="2026-05").strength("hip_flexion", 4)
RELAPSING_PM = Patient(sex="female", born="1964-02-01").has("polymyositis", since="2022-01").strength("proximal", 3)
MILD_PM = Patient(sex="female", born="1964-02-01").has("polymyositis", since="2026-05").strength("hip_flexion", 4)
DM_49 = Patient(sex="male", born="1977-06-01").has("dermatomyositis", since="2025-09")


@pytest.mark.parametrize(
    "patient",
    [
        RELAPSING_PM,
        RELAPSING_PM.stopped("prednisone", since="2023-01-01", until="2023-06-01", because="completed"),
        RELAPSING_PM.stopped("prednisone", since="2023-01-01", until="2023-06-01", because="ineffective"),
        RELAPSING_PM.stopped("prednisone", since="2023-01-01", until="2023-06-01", because="intolerance"),
        RELAPSING_PM.stopped("azathioprine", since="2023-01-01", until="2024-06-01", because="completed"),
        RELAPSING_PM.stopped("azathioprine", since="2023-01-01", until="2024-06-01", because=None),
    ],
)
def test_active_disease_of_a_patient_off_drugs_is_never_met_with_silence(patient: Patient) -> None:
    assert "nextLineTherapy" in topics(patient.cards())


@pytest.mark.parametrize("since", ["2015-03-01", None])
def test_a_pregnancy_refuted_long_ago_does_not_rule_one_out_today(since: str | None) -> None:
    patient = WOMAN_36.has("pregnancy", since=since, verification="refuted")
    assert "methotrexate" not in drugs(patient.cards())


def test_orders_that_could_not_be_read_are_not_orders_that_do_not_exist() -> None:
    cards = DM_49.failed("ServiceRequest").cards()
    assert orders(cards, "tumourScreening") == set()
    assert "could not be assessed" in str(card_about("lungFunction", cards))


def test_orders_that_were_not_supplied_are_said_to_be_missing() -> None:
    assert "orders were not supplied" in str(card_about("lungFunction", DM_49.without("ServiceRequest").cards()))


def test_a_problem_list_that_was_cut_may_hide_inclusion_body_myositis() -> None:
    assert offered(MILD_PM)
    cut = read_record([MILD_PM.bundle()], terminology=terminology(), as_of=AS_OF, inputs={"Condition": InputState.FAILED})
    assessment = assess(cut)
    assert assessment.phenotypes
    said = recommend(assessment)
    therapy = [r for r in said if r.topic == "nextLineTherapy"]
    assert therapy
    assert all(r.holds is Answer.UNKNOWN for r in therapy)
    assert drugs(to_cards(said, assessment, seed="hook-1")) == set()


def test_a_low_filtration_rate_holds_methotrexate_back_without_a_coded_stage() -> None:
    patient = Patient(sex="male", born="1960-01-01").has("polymyositis", since="2026-05").strength("hip_flexion", 4)
    assert "methotrexate" in drugs(patient.cards())
    assert "methotrexate" not in drugs(patient.result("egfr", 15, low=60).cards())


def test_an_intolerance_of_one_glucocorticoid_speaks_about_all_of_them() -> None:
    patient = RELAPSING_PM.cannot_tolerate("prednisone")
    assert not {"glucocorticoid-oral", "glucocorticoid-intravenous"} & drugs(patient.cards())


def test_a_repeat_that_is_ordered_is_not_called_due() -> None:
    screened = DM_49.had("ct_chest_abdomen_pelvis", on="2026-02-01").had("testicular_ultrasound", on="2026-02-01")
    assert "titulaer-2011-dm-repeat-3-6-months" in held(screened)
    assert "titulaer-2011-dm-repeat-3-6-months" not in held(screened.ordered("pet_ct_fdg", on="2026-11-15"))


def test_an_order_of_sixteen_years_ago_is_no_order_for_this_disease() -> None:
    patient = Patient(sex="male", born="1960-01-01").has("dermatomyositis", since="2026-05")
    old = patient.ordered("colonoscopy", on="2010-01-01")
    assert "colonoscopy" in orders(old.cards(), "tumourScreening")


def test_the_entry_that_decided_is_the_one_that_is_quoted() -> None:
    patient = RELAPSING_PM.stopped("mycophenolate_mofetil", since="2022-02-01", because="completed").stopped(
        "mycophenolate_mofetil", since="2025-01-01", because="ineffective"
    )
    set_aside = options(patient)["mycophenolate"].not_offered
    assert set_aside is not None
    assert "stopped because it did not work, started 1 January 2025" in set_aside


def test_a_statin_drafted_with_anti_hmgcr_is_stopped_even_without_a_recorded_myositis() -> None:
    """Design section 4, rule 11: a myositis-specific hazard that the draft itself raises."""
    antibody = Patient(sex="male", born="1960-01-01").antibody("anti_hmgcr", "positive", on="2020-01-01")
    assert "statin-anti-hmgcr-draft" in held(antibody, ("atorvastatin",))
    assert "statin-anti-hmgcr-draft" in held(antibody.antibody("anti_hmgcr", "negative", on="2026-01-01"), ("atorvastatin",))
    assert antibody.cards() == []


def test_only_a_statement_that_waits_for_a_datum_brings_the_test_that_supplies_it() -> None:
    bare = Patient(sex=None, born=None).has("dermatomyositis", since="2026-05")
    assert not {"mammography", "colonoscopy"} & orders(bare.without("Procedure", "DiagnosticReport").cards())

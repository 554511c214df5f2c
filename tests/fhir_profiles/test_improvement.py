"""The 2016 ACR/EULAR Total Improvement Score (clinical/beyond-sources.md section 6), only from a complete record."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.improvement import Improvement, Measure, find_improvement, points_for, response_of, rules
from tests.patient import Patient

BEFORE, NOW = "2026-05-04", "2026-11-02"
MEASURES: dict[str, Measure] = {measure.code: measure for measure in rules()["measures"]}
VISITS = {
    "physician_global_activity": (7, 2),
    "patient_global_activity": (6, 3),
    "mmt8": (50, 70),
    "haq": (2, 1),
    "creatine_kinase": (4000, 200),
    "extramuscular_activity": (4, 1),
}


def followed(disease: str = "dermatomyositis", without: str | None = None, **changed: tuple[float, float]) -> Patient:
    """A patient with two visits at which the core set measures were recorded."""
    patient = Patient().has(disease, since="2026-05-01")
    for measure, (before, now) in (VISITS | changed).items():
        if measure != without:
            patient = patient.result(measure, before, on=BEFORE).result(measure, now, on=NOW)
    return patient


def improved(patient: Patient) -> Improvement:
    found = patient.assess().improvement
    assert found is not None
    return found


def test_the_score_adds_the_points_of_all_six_measures() -> None:
    found = improved(followed())
    points = {measured.code: measured.points for measured in found.measures}
    assert points == {
        "physician-global": (200, 200),
        "patient-global": (75, 75),
        "strength": (275, 275),
        "function": (75, 75),
        "enzyme": (0, 75),
        "extramuscular": (150, 150),
    }
    assert (found.minimum, found.maximum) == (775, 850)
    assert (found.least_response, found.most_response, found.thresholds) == ("major", "major", "adult")


@pytest.mark.parametrize("measure", VISITS)
def test_with_one_measure_missing_there_is_no_score(measure: str) -> None:
    assert followed(without=measure).assess().improvement is None


@pytest.mark.parametrize("measure", VISITS)
def test_with_one_value_of_a_measure_there_is_no_score(measure: str) -> None:
    assert followed(without=measure).result(measure, 1, on=NOW).assess().improvement is None


def test_two_values_of_one_day_are_not_two_visits() -> None:
    patient = followed(without="haq").result("haq", 2, on=NOW).result("haq", 1, on=NOW)
    assert patient.assess().improvement is None


def test_undated_values_do_not_count() -> None:
    patient = followed(without="haq").result("haq", 2, on=None).result("haq", 1, on=NOW)
    assert patient.assess().improvement is None


def test_the_oldest_and_the_newest_value_are_compared() -> None:
    found = improved(followed().result("haq", 3, on="2026-08-01"))
    assert {measured.code: measured.points for measured in found.measures}["function"] == (75, 75)


def test_a_value_beyond_the_scale_is_not_taken_for_one_on_it() -> None:
    assert followed(physician_global_activity=(70, 20)).assess().improvement is None


def test_a_value_in_another_unit_is_not_used() -> None:
    patient = followed(without="physician_global_activity")
    for value, day in ((7, BEFORE), (2, NOW)):
        patient = patient.add(
            "Observation",
            status="final",
            code={"text": "physician global activity"},
            effectiveDateTime=day,
            valueQuantity={"value": value, "unit": "mm"},
        )
    assert patient.assess().improvement is None


def test_an_enzyme_that_did_not_fall_gives_no_points() -> None:
    found = improved(followed(creatine_kinase=(200, 200)))
    assert {measured.code: measured.points for measured in found.measures}["enzyme"] == (0, 0)


def test_children_have_their_own_thresholds() -> None:
    found = improved(followed("dermatomyositis_juvenile"))
    assert found.thresholds == "juvenile"
    assert [response_of(tenths, "juvenile") for tenths in (299, 300, 449, 450, 699, 700)] == [
        *("none", "minimal", "minimal", "moderate", "moderate", "major")
    ]


def test_adults_need_20_40_and_60_points() -> None:
    assert [response_of(tenths, "adult") for tenths in (199, 200, 399, 400, 599, 600)] == [
        *("none", "minimal", "minimal", "moderate", "moderate", "major")
    ]


def test_it_is_not_used_in_inclusion_body_myositis_or_without_myositis() -> None:
    assert followed("inclusion_body_myositis").assess().improvement is None
    assert followed("hypertension").assess().improvement is None


def test_beyond_dermatomyositis_and_polymyositis_it_says_that_its_use_is_by_extension() -> None:
    assert rules()["extension"] in improved(followed("immune_mediated_necrotising_myopathy")).notes
    assert rules()["extension"] not in improved(followed()).notes


def test_a_chart_with_another_patients_data_is_not_scored() -> None:
    mixed = followed().add("Observation", subject={"reference": "Patient/2"}, status="final")
    assert mixed.assess().improvement is None
    assert find_improvement(mixed.record(), followed().assess().phenotypes) is None


@pytest.mark.parametrize(
    ("now", "points"), [(10, 0), (9.5, 0), (9.4, 75), (8.5, 75), (8.4, 150), (7.5, 150), (7.4, 175), (6, 175), (5.9, 200)]
)
def test_points_change_just_above_5_15_25_and_40_per_cent(now: float, points: int) -> None:
    assert points_for(MEASURES["physician-global"], 10, now) == points


@pytest.mark.parametrize(("now", "points"), [(41.6, 0), (41.7, 100), (48, 100), (48.1, 200), (56.1, 275), (64.1, 325)])
def test_points_for_strength_change_just_above_2_10_20_and_30_per_cent(now: float, points: int) -> None:
    assert points_for(MEASURES["strength"], 40, now) == points


def test_the_full_points_sum_to_100() -> None:
    assert sum(measure.points[-1] for measure in MEASURES.values()) == 1000


@given(st.sampled_from(sorted(MEASURES)), st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
def test_more_improvement_never_gives_fewer_points(code: str, baseline: int, one: int, other: int) -> None:
    measure = MEASURES[code]
    worse, better = sorted((one / 100, other / 100), reverse=not measure.higher_is_better)
    assert points_for(measure, baseline / 100, worse) <= points_for(measure, baseline / 100, better)
    assert points_for(measure, worse, worse) == 0

"""A disease takes its time: in charts it looks as it does at the bedside, over weeks, months and years."""

from itertools import pairwise

import pytest

from tests.server.cohort.synthesis.cohorts import Reading, clinical_status, day_of, readings

MONTH = 30.4
SIGNS = ("proximal_muscle_weakness", "dysphagia", "heliotrope_rash", "gottron_papules", "arthritis", "fever")


def in_remission() -> list[Reading]:
    return [one for one in readings() if one.is_in_remission]


def test_some_are_in_remission_and_nobody_within_nine_months_of_the_diagnosis() -> None:
    months = [(one.last_day - one.disease.diagnosed) / MONTH for one in in_remission()]
    assert len(months) > 0.05 * len(readings())
    assert min(months) >= 9


def test_nobody_with_inclusion_body_myositis_is_in_remission() -> None:
    assert {one.disease.form for one in in_remission()}.isdisjoint({"inclusion-body-myositis"})


def test_who_is_in_remission_takes_little_prednisone_and_has_ordinary_enzymes() -> None:
    for one in in_remission():
        for drug in one.of("MedicationRequest", "prednisone"):
            if drug["status"] == "active":
                (dose,) = drug["dosageInstruction"][0]["doseAndRate"]
                assert dose["doseQuantity"]["value"] <= 10, one.patient.id
        late = [
            result["valueQuantity"]["value"]
            for result in one.of("Observation", "creatine_kinase")
            if day_of(result["effectiveDateTime"]) > one.last_day - 90
        ]
        assert max(late, default=0) <= 200, one.patient.id


@pytest.mark.parametrize("test", ["creatine_kinase", "mmt8", "cmas", "muscle_strength_mrc_hip_flexion", "fvc_percent_predicted"])
def test_the_same_test_is_not_done_twice_within_two_weeks(test: str) -> None:
    apart = [later - day for one in readings() for day, later in pairwise(one.days("Observation", test))]
    assert apart
    assert min(apart) >= 14


def test_strength_does_not_jump_from_one_visit_to_the_next() -> None:
    steps = [
        (one.patient.id, later - value)
        for one in readings()
        for days, values in [(one.days("Observation", "mmt8"), one.values("mmt8"))]
        for (day, next_day), (value, later) in zip(pairwise(days), pairwise(values), strict=True)
        if next_day - day < 40
    ]
    assert steps
    assert [step for step in steps if not -6 <= step[1] <= 30] == []  # it may recover fast, and does not fall under treatment


def test_who_was_very_weak_has_full_strength_once_the_disease_is_quiet() -> None:
    weak = [one for one in in_remission() if min(one.values("mmt8"), default=150) < 120]
    assert weak
    assert all(one.values("mmt8")[-1] > 135 for one in weak)


def test_signs_are_mostly_resolved_in_remission_but_some_stay_on_the_list() -> None:
    states = [clinical_status(sign) for one in in_remission() for name in SIGNS for sign in one.of("Condition", name)]
    assert 0.7 < states.count("resolved") / len(states) < 0.9


def test_what_is_resolved_has_an_end_that_is_no_earlier_than_its_beginning() -> None:
    for one in readings():
        for name in SIGNS:
            for sign in one.of("Condition", name):
                assert (clinical_status(sign) == "resolved") is ("abatementDateTime" in sign)
                if "abatementDateTime" in sign:
                    assert day_of(sign["recordedDate"]) < day_of(sign["abatementDateTime"]) <= one.last_day


def test_weakness_stays_on_the_list_while_the_disease_is_active_and_always_in_inclusion_body_myositis() -> None:
    for one in readings():
        if one.disease.form == "inclusion-body-myositis" or not one.disease.is_controlled:
            assert [clinical_status(sign) for sign in one.of("Condition", "proximal_muscle_weakness")] in ([], ["active"])


def with_rapid_lung_disease() -> list[Reading]:
    return [one for one in readings() if one.disease.lung == "rapid" and one.last_day - one.disease.diagnosed > 130]


def test_in_rapidly_progressive_lung_disease_vital_capacity_falls_within_three_months_and_ferritin_is_high() -> None:
    tested = [one for one in with_rapid_lung_disease() if len(one.values("fvc_percent_predicted")) > 3]
    assert len(tested) > 5
    for one in tested:
        early = one.values("fvc_percent_predicted")[:4]
        assert min(early) < early[0] - 10, one.patient.id
        assert max(one.values("ferritin")) > 500, one.patient.id


def test_in_rapidly_progressive_lung_disease_most_need_oxygen_and_nobody_else_gets_it() -> None:
    rapid = [one for one in with_rapid_lung_disease() if "Procedure" in one.patient.lines]
    assert sum(bool(one.of("Procedure", "oxygen_therapy")) for one in rapid) > 0.6 * len(rapid)
    assert not any(one.of("Procedure", "oxygen_therapy") for one in readings() if one.disease.lung != "rapid")


def test_a_rapid_course_survived_for_two_years_is_over_on_most_lists_and_lung_disease_remains() -> None:
    survived = [one for one in readings() if one.disease.lung == "rapid" and one.last_day - one.disease.diagnosed > 730]
    over = [one for one in survived for rapid in one.of("Condition", "ild_rapidly_progressive") if "abatementDateTime" in rapid]
    assert 0.5 * len(survived) < len(over) <= len(survived)
    for one in over:
        remains = [clinical_status(lung) for lung in one.of("Condition", "interstitial_lung_disease")]
        assert "active" in remains, one.patient.id


def test_chronic_lung_disease_keeps_its_level() -> None:
    ranges = [
        max(values) - min(values)
        for one in readings()
        if one.disease.lung != "rapid" and len(values := one.values("fvc_percent_predicted")) > 1
    ]
    assert max(ranges) <= 6

"""Drugs are given as somebody would give them, activity follows treatment, and chance is what it says."""

from collections import Counter

import pytest

from server.cohort.synthesis.activity import activity_under
from server.cohort.synthesis.chance import Choice, chance_of
from server.cohort.synthesis.disease import Disease
from server.cohort.synthesis.treatment import Course
from tests.server.cohort.synthesis.cohorts import Reading, readings, with_myositis

START = 738_000


def of_form(form: str, is_controlled: bool) -> Disease:
    return next(
        patient.disease
        for patient in with_myositis()
        if patient.disease and patient.kind == form and patient.disease.is_controlled is is_controlled
    )


def test_untreated_disease_stays_as_active_as_it_was() -> None:
    activity = activity_under(of_form("polymyositis", True), [])
    assert activity.on(START + 1000) == 1


def test_activity_falls_to_nothing_under_a_drug_that_works() -> None:
    activity = activity_under(of_form("polymyositis", True), [Course("methotrexate", START, None)])
    levels = [activity.on(START + days) for days in (0, 50, 100, 400, 1000)]
    assert levels[0] == 1
    assert levels == sorted(levels, reverse=True)
    assert levels[-1] < 0.01


def test_activity_comes_to_rest_half_way_under_a_drug_that_fails_and_falls_under_the_next() -> None:
    courses = [Course("methotrexate", START, START + 800, "ineffective"), Course("azathioprine", START + 800, None)]
    activity = activity_under(of_form("polymyositis", True), courses)
    assert activity.on(START + 790) == pytest.approx(0.5, abs=0.01)
    assert activity.on(START + 1600) < 0.01


def test_a_disease_that_is_not_controlled_stays_active() -> None:
    activity = activity_under(of_form("polymyositis", False), [Course("methotrexate", START, None)])
    assert activity.on(START + 2000) == pytest.approx(0.4, abs=0.01)


def test_a_disease_is_quiet_from_the_day_on_which_activity_has_fallen_low_enough() -> None:
    activity = activity_under(of_form("polymyositis", True), [Course("methotrexate", START, None)])
    quiet = activity.below_since(0.1)
    assert quiet is not None
    assert activity.on(quiet) <= 0.1 < activity.on(quiet - 2)


def test_a_disease_that_is_not_controlled_is_never_quiet() -> None:
    activity = activity_under(of_form("polymyositis", False), [Course("methotrexate", START, None)])
    assert activity.below_since(0.1) is None


def test_no_drug_helps_against_inclusion_body_myositis() -> None:
    activity = activity_under(of_form("inclusion-body-myositis", False), [Course("prednisone", START, None, dose=60)])
    assert activity.on(START + 2000) == 1
    assert activity.below_since(0.1) is None


def test_nothing_is_prescribed_after_the_last_day() -> None:
    for patient in with_myositis(300):
        for line in patient.lines.get("MedicationRequest", []):
            assert '"authoredOn":"2027' not in line


def on_cyclophosphamide() -> list[Reading]:
    return [one for one in readings() if one.courses("cyclophosphamide")]


def test_nobody_takes_cyclophosphamide_for_longer_than_six_months() -> None:
    taken = [(start, end or one.last_day) for one in on_cyclophosphamide() for start, end in one.courses("cyclophosphamide")]
    assert len(taken) > 30
    assert max(end - start for start, end in taken) <= 183


def test_cyclophosphamide_is_for_adults_whose_lung_is_ill_and_for_children() -> None:
    assert [one.patient.id for one in on_cyclophosphamide() if not one.disease.lung and not one.disease.is_juvenile] == []


def test_another_drug_keeps_what_cyclophosphamide_has_gained() -> None:
    for one in on_cyclophosphamide():
        for _, end in one.courses("cyclophosphamide"):
            if end is not None and end + 31 <= one.last_day:
                after = [start for start, _ in one.courses("mycophenolate_mofetil") if end < start <= end + 31]
                assert after, one.patient.id


def test_nobody_is_in_remission_on_cyclophosphamide() -> None:
    assert not any(
        end is None for one in on_cyclophosphamide() if one.is_in_remission for _, end in one.courses("cyclophosphamide")
    )


def test_rapidly_progressive_lung_disease_is_treated_with_three_drugs_from_the_first_weeks() -> None:
    rapid = [one for one in readings() if one.disease.lung == "rapid" and one.last_day - one.disease.diagnosed > 45]
    assert len(rapid) > 10
    for one in rapid:
        by_then = one.disease.diagnosed + 45
        begun = {
            drug
            for drug in (
                "prednisone",
                "methylprednisolone",
                "tacrolimus",
                "cyclophosphamide",
                "mycophenolate_mofetil",
                "rituximab",
            )
            if any(start <= by_then for start, _ in one.courses(drug))
        }
        assert {"prednisone", "methylprednisolone", "tacrolimus"} < begun, one.patient.id


def test_calcineurin_inhibitors_are_more_usual_where_the_lung_is_ill() -> None:
    had = {
        is_ill: [bool(one.courses("tacrolimus")) for one in readings() if bool(one.disease.lung) is is_ill]
        for is_ill in (True, False)
    }
    assert sum(had[True]) / len(had[True]) > 1.3 * sum(had[False]) / len(had[False])


def test_nobody_refuses_rituximab_who_takes_it() -> None:
    for one in readings():
        refused = [drug for drug in one.of("MedicationRequest", "rituximab") if drug["status"] == "cancelled"]
        assert not (refused and one.courses("rituximab")), one.patient.id


def test_a_choice_follows_its_weights_and_leaves_out_what_weighs_nothing() -> None:
    chance = chance_of(1, 1)
    chosen = Counter(Choice({"often": 3, "seldom": 1, "never": 0}).of(chance) for _ in range(4000))
    assert set(chosen) == {"often", "seldom"}
    assert chosen["often"] / 4000 == pytest.approx(0.75, abs=0.03)


def test_no_two_patients_have_the_same_chance() -> None:
    assert len({chance_of(seed, number).random() for seed in range(5) for number in range(200)}) == 1000

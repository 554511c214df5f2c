"""Activity follows treatment, and chance is what it says."""

from collections import Counter

import pytest

from server.cohort.synthesis.activity import activity_under
from server.cohort.synthesis.chance import Choice, chance_of
from server.cohort.synthesis.disease import Disease
from server.cohort.synthesis.treatment import Course
from tests.server.cohort.synthesis.cohorts import with_myositis

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


def test_a_choice_follows_its_weights_and_leaves_out_what_weighs_nothing() -> None:
    chance = chance_of(1, 1)
    chosen = Counter(Choice({"often": 3, "seldom": 1, "never": 0}).of(chance) for _ in range(4000))
    assert set(chosen) == {"often", "seldom"}
    assert chosen["often"] / 4000 == pytest.approx(0.75, abs=0.03)


def test_no_two_patients_have_the_same_chance() -> None:
    assert len({chance_of(seed, number).random() for seed in range(5) for number in range(200)}) == 1000

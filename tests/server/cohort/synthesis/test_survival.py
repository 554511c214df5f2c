"""People die of age, of cancer and of their lungs, on days of their own, and nobody's age is cut off at a limit."""

import re
from collections import Counter

import pytest

from server.cohort.synthesis.chance import chance_of, within
from server.cohort.synthesis.days import YEAR
from server.cohort.synthesis.proportions import packaged_proportions
from server.cohort.synthesis.survival import Survival
from tests.server.cohort.synthesis.cohorts import AS_OF, Reading, bound, cohort, day_of, readings

TODAY = AS_OF.toordinal()
PROPORTIONS = packaged_proportions()


def birth_of(one: Reading) -> int | None:
    found = re.search(r'"birthDate":"([^"]+)"', one.patient.lines["Patient"][0])
    return day_of(found[1]) if found else None


def died(people: list[Reading]) -> float:
    return sum(one.last_day < TODAY for one in people) / len(people)


def adults_diagnosed_ten_years_ago() -> list[Reading]:
    return [one for one in readings() if not one.disease.is_juvenile and one.disease.diagnosed < TODAY - 10 * YEAR]


@pytest.mark.parametrize(("years", "fewest", "most"), [(1, 0.02, 0.10), (5, 0.10, 0.26), (10, 0.20, 0.38)])
def test_about_as_many_adults_die_as_in_the_swedish_registers(years: float, fewest: float, most: float) -> None:
    people = adults_diagnosed_ten_years_ago()
    dead = sum(one.last_day - one.disease.diagnosed < years * YEAR for one in people)
    assert fewest < dead / len(people) < most  # 9%, 24% and 31% there, where patients were older


def test_days_of_death_are_spread_over_the_years() -> None:
    days = [one.last_day for one in readings() if one.last_day < TODAY]
    assert max(Counter(days).values()) <= 3
    assert sum(day > TODAY - 365 for day in days) < 0.4 * len(days)


def test_the_old_die_more_often_than_the_young() -> None:
    people = [(one, birth) for one in adults_diagnosed_ten_years_ago() if (birth := birth_of(one)) is not None]
    young = [one for one, birth in people if one.disease.diagnosed - birth < 50 * YEAR]
    old = [one for one, birth in people if one.disease.diagnosed - birth > 70 * YEAR]
    assert died(old) > 2 * died(young)


def test_about_as_many_die_of_rapidly_progressive_lung_disease_as_written_and_within_half_a_year() -> None:
    rapid = [one for one in readings() if one.disease.lung == "rapid" and one.disease.diagnosed < TODAY - 183]
    share = PROPORTIONS.of("mortality.of_rapidly_progressive_lung_disease")
    soon = sum(one.last_day - one.disease.diagnosed <= 183 for one in rapid) / len(rapid)
    assert soon == pytest.approx(share, abs=bound(share, len(rapid)))


def test_who_dies_of_the_lung_has_lost_most_of_it_at_the_end() -> None:
    for one in readings():
        values = one.values("fvc_percent_predicted")
        if one.disease.lung == "rapid" and one.last_day < min(TODAY, one.disease.diagnosed + 183) and len(values) > 2:
            assert values[-1] == min(values), one.patient.id


def test_cancer_is_deadly() -> None:
    people = [one for one in adults_diagnosed_ten_years_ago() if one.disease.lung != "rapid"]
    with_cancer = [one for one in people if one.disease.cancer is not None]
    assert died(with_cancer) > 1.3 * died([one for one in people if one.disease.cancer is None])


def test_children_hardly_ever_die() -> None:
    assert died([one for one in readings() if one.disease.is_juvenile]) < 0.05


def test_no_age_is_more_frequent_than_chance_would_have_it() -> None:
    births = [(one, birth) for one in readings() if (birth := birth_of(one)) is not None]
    for ages in (
        Counter(one.disease.onset - birth for one, birth in births),
        Counter(one.last_day - birth for one, birth in births),
        Counter(one.disease.diagnosed - one.disease.onset for one, _ in births if one.disease.form == "inclusion-body-myositis"),
        Counter(one.disease.cancer - one.last_day for one, _ in births if one.disease.cancer is not None),
    ):
        assert max(ages.values()) <= 5


def test_hardly_anybody_lives_to_a_hundred() -> None:
    alive = [TODAY - birth for one in readings() if one.last_day == TODAY and (birth := birth_of(one)) is not None]
    assert max(alive) < 102 * YEAR
    assert sum(days > 90 * YEAR for days in alive) < 0.01 * len(alive)


def test_nothing_is_done_after_death() -> None:
    for patient in [*cohort().patients(600), *(one.patient for one in readings()[:600])]:
        found = re.search(r'"deceasedDateTime":"([^"]+)"', patient.lines["Patient"][0])
        if found:
            days = [
                day
                for lines in patient.lines.values()
                for line in lines
                for day in re.findall(r'"(?:\w*Date\w*|authoredOn|start|end)":"(\d{4}-\d\d-\d\d)', line)
            ]
            assert max(days) <= found[1], patient.id


def test_people_without_myositis_die_too_and_were_old() -> None:
    dead = [one for one in cohort().patients(2000) if one.disease is None and '"deceasedDateTime"' in one.lines["Patient"][0]]
    assert 0.01 < len(dead) / 1600 < 0.06
    births = [int(found[1]) for one in dead if (found := re.search(r'"birthDate":"(\d{4})', one.lines["Patient"][0]))]
    assert sorted(births)[len(births) // 2] < AS_OF.year - 65


def test_the_risk_of_death_doubles_with_the_years_as_written() -> None:
    survival = Survival(PROPORTIONS)
    chance = chance_of(3, 3)

    def dead_within_a_year(age: float) -> float:
        birth = TODAY - int(age * YEAR)
        return sum(survival.of_age(birth, TODAY, False, chance) <= TODAY + YEAR for _ in range(20_000)) / 20_000

    assert dead_within_a_year(65) == pytest.approx(PROPORTIONS.of("mortality.yearly_at_65"), rel=0.25)
    assert dead_within_a_year(65 + 2 * PROPORTIONS.of("mortality.years_to_double")) == pytest.approx(0.048, rel=0.15)


def test_a_number_within_limits_does_not_pile_up_on_them() -> None:
    chance = chance_of(2, 2)
    numbers = [within(lambda: chance.gauss(0, 1), -0.5, 0.5) for _ in range(500)]
    assert len(set(numbers)) == 500
    assert min(numbers) >= -0.5
    assert max(numbers) <= 0.5

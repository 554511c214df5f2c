"""Calendars: what falls due, when it is overdue and when it ends."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cards.recommend import calendar
from cards.schedule import Due, DueState, Schedule, due_of, rounds
from tests.patient import Patient

MAN_OF_60 = Patient(sex="male", born="1966-01-01").has("dermatomyositis", since="2026-01-15")
SCREEN = Schedule(of="fdg-pet-ct", title="screening imaging", months=3, until_months=6, ends_after_months=48)
MEASURE = Schedule(of="disease-activity-measure", title="measure", at_months=(0, 3, 6, 12), then_every_months=12)


def due(patient: Patient, schedule: Schedule) -> Due:
    found = due_of(patient.assess(), schedule)
    assert found is not None
    return found


def test_scans_of_the_same_weeks_are_one_round() -> None:
    first, again, later = date(2026, 1, 22), date(2026, 2, 22), date(2026, 8, 22)
    assert rounds([]) == ()
    assert rounds([first, again, later]) == (again, later)


@given(st.lists(st.dates(date(2015, 1, 1), date(2026, 1, 1)), max_size=12).map(sorted))
def test_every_scan_belongs_to_one_round_and_the_last_scan_ends_the_last_round(days: list[date]) -> None:
    found = rounds(days)
    assert set(found) <= set(days)
    assert list(found) == sorted(found)
    assert not days or found[-1] == days[-1]


# --- repeats ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("done", "state"),
    [
        ("2026-08-23", DueState.UPCOMING),
        ("2026-08-22", DueState.DUE),
        ("2026-05-22", DueState.DUE),
        ("2026-05-21", DueState.OVERDUE),
    ],
)
def test_a_repeat_is_due_for_three_months_and_then_overdue(done: str, state: DueState) -> None:
    assert due(MAN_OF_60.had("pet_ct_fdg", on=done), SCREEN).state is state


def test_before_the_first_round_no_repeat_is_spoken_of() -> None:
    assert due_of(MAN_OF_60.assess(), SCREEN) is None


def test_a_repeat_that_is_ordered_is_not_due() -> None:
    patient = MAN_OF_60.had("pet_ct_fdg", on="2026-07-01").ordered("pet_ct_fdg")
    assert due(patient, SCREEN).state is DueState.ORDERED


def test_the_calendar_ends_so_long_after_the_disease_began() -> None:
    old = Patient(sex="male", born="1960-01-01").has("dermatomyositis", since="2022-10-15").had("pet_ct_fdg", on="2026-07-10")
    found = due(old, SCREEN)
    assert (found.state, found.ends) == (DueState.ENDED, date(2026, 10, 15))


def test_without_a_first_day_of_the_disease_nobody_knows_whether_the_calendar_has_ended() -> None:
    patient = Patient().has("dermatomyositis").had("pet_ct_fdg", on="2026-07-01")
    assert due(patient, SCREEN).state is DueState.UNKNOWN


@pytest.mark.parametrize(("done", "state"), [("2026-03-01", DueState.UNKNOWN), ("2026-10-01", DueState.UPCOMING)])
def test_where_data_could_not_be_read_a_later_round_may_be_among_them(done: str, state: DueState) -> None:
    """SAF-08: an overdue repeat is not claimed while reports could not be read."""
    assert due(MAN_OF_60.had("pet_ct_fdg", on=done).failed("DiagnosticReport"), SCREEN).state is state


def test_a_round_without_a_date_leaves_open_when_the_next_is_due() -> None:
    found = due(MAN_OF_60.had("pet_ct_fdg", on=None), SCREEN)
    assert (found.state, [item.text for item in found.missing]) == (DueState.UNKNOWN, ["when the screening imaging was done"])


def test_the_words_name_the_last_day_the_next_one_and_the_end() -> None:
    patient = MAN_OF_60.had("pet_ct_fdg", on="2026-07-20")
    assert due(patient, SCREEN).says(date(2026, 11, 22)) == (
        "screening imaging last done 4 months ago, repeat due from 20 October 2026, at the latest by 20 January 2027; "
        "the calendar ends on 15 January 2030"
    )


# --- fixed times ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("since", "measured", "state", "day"),
    [
        ("2026-11-01", None, DueState.DUE, date(2026, 11, 1)),
        ("2026-11-01", "2026-11-02", DueState.UPCOMING, date(2027, 2, 1)),
        ("2026-08-01", "2026-08-02", DueState.DUE, date(2026, 11, 1)),
        ("2026-08-01", "2026-09-25", DueState.UPCOMING, date(2027, 2, 1)),
        ("2026-01-15", "2026-04-20", DueState.DUE, date(2026, 7, 15)),
        ("2025-11-01", "2026-05-10", DueState.DUE, date(2026, 11, 1)),
        ("2020-03-01", "2020-12-01", DueState.DUE, date(2021, 3, 1)),
        ("2020-03-01", "2025-03-10", DueState.DUE, date(2026, 3, 10)),
        ("2020-03-01", "2025-11-23", DueState.UPCOMING, date(2026, 11, 23)),
        ("2020-03-01", "2026-02-10", DueState.UPCOMING, date(2027, 2, 10)),
        ("2020-03-01", "2026-04-10", DueState.UPCOMING, date(2027, 4, 10)),
    ],
)
def test_activity_is_measured_at_onset_at_3_6_and_12_months_and_then_at_least_once_a_year(
    since: str, measured: str | None, state: DueState, day: date
) -> None:
    """alexanderson-2007-measure-schedule"""
    patient = Patient().has("dermatomyositis", since=since)
    if measured:
        patient = patient.strength("proximal", 4, on=measured)
    found = due(patient, MEASURE)
    assert (found.state, found.due_from) == (state, day)


def test_before_its_first_time_a_calendar_has_not_begun() -> None:
    from_month_3 = Schedule(of="disease-activity-measure", title="measure", at_months=(3, 6))
    assert due_of(Patient().has("dermatomyositis", since="2026-11-01").assess(), from_month_3) is None


def test_where_results_were_not_supplied_nobody_knows_whether_it_was_measured() -> None:
    assert due(MAN_OF_60.without("Observation"), MEASURE).state is DueState.UNKNOWN
    assert due(MAN_OF_60.failed("Observation"), MEASURE).state is DueState.UNKNOWN


# --- the calendar of a patient ------------------------------------------------------------------------------------------


def test_the_calendar_shows_what_lies_ahead_although_no_card_speaks_of_it() -> None:
    patient = MAN_OF_60.had("ct_chest_abdomen", on="2026-10-01").had("colonoscopy", on="2026-10-01")
    shown = calendar(patient.assess())
    assert shown["titulaer-2011-dm-repeat-3-6-months"].state is DueState.UPCOMING
    assert shown["titulaer-2011-dm-repeat-3-6-months"].due_from == date(2027, 1, 1)


def test_somebody_without_myositis_has_no_calendar() -> None:
    assert calendar(Patient().had("ct_chest_abdomen").assess()) == {}

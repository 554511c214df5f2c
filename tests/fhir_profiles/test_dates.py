"""Dates of a chart: what they may mean, and what they never are."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.dates import DateInterval, add_months, completed_years, days_between, parse_fhir_date


@pytest.mark.requirement("SAF-10")
@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2024", date(2024, 1, 1), date(2024, 12, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2023-02", date(2023, 2, 1), date(2023, 2, 28)),
        ("2024-05-17", date(2024, 5, 17), date(2024, 5, 17)),
        ("2024-05-17T08:30:00Z", date(2024, 5, 17), date(2024, 5, 17)),
        ("2024-05-17T08:30", date(2024, 5, 17), date(2024, 5, 17)),
        ("2024-05-17 08:30:00", date(2024, 5, 17), date(2024, 5, 17)),
        ("2024-05-17T08:30:00.123456789+02:00", date(2024, 5, 17), date(2024, 5, 17)),
    ],
)
def test_a_date_is_every_day_that_it_may_mean(text: str, first: date, last: date) -> None:
    """SAF-10."""
    assert parse_fhir_date(text) == DateInterval(first, last)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-05-17T00:30:00+02:00", date(2024, 5, 16)),
        ("2024-05-17T23:30:00-05:00", date(2024, 5, 18)),
        ("2024-02-29T23:59:59-00:30", date(2024, 3, 1)),
    ],
)
def test_a_time_with_a_zone_is_counted_as_its_day_in_utc(text: str, day: date) -> None:
    assert parse_fhir_date(text) == DateInterval(day, day)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "T",
        "24",
        "2024-13",
        "2024-02-30",
        "2023-02-29",
        "17.05.2024",
        "05/17/2024",
        "20240517",
        "2024-W05",
        "2024-W05-1",
        "+123",
        "1_00",
        "  12",
        "0000",
        "2024X05",
        "2024-5-7",
        "2024-05-17T",
        "2024-05-17T25:00:00Z",
        "yesterday",
        "٢٠٢٤",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        "-2024",
    ],
)
def test_what_is_no_fhir_date_is_not_guessed_at(text: str) -> None:
    assert parse_fhir_date(text) is None


@given(st.text(max_size=40))
def test_no_text_breaks_the_reading_of_dates(text: str) -> None:
    interval = parse_fhir_date(text)
    assert interval is None or interval.first <= interval.last


@pytest.mark.requirement("SAF-10")
@given(st.dates(min_value=date(1875, 1, 1)))
def test_a_more_precise_date_lies_within_the_less_precise_one(day: date) -> None:
    """SAF-10: more precision never contradicts."""
    exact, month, year = (parse_fhir_date(day.isoformat()[:length]) for length in (10, 7, 4))
    assert exact is not None
    assert month is not None
    assert year is not None
    assert year.first <= month.first <= exact.first <= exact.last <= month.last <= year.last


@pytest.mark.parametrize(
    ("text", "words"),
    [("2024", "2024"), ("2024-02", "February 2024"), ("2024-05-17", "17 May 2024"), ("2024-12", "December 2024")],
)
def test_a_date_is_written_as_precisely_as_it_is_known(text: str, words: str) -> None:
    assert str(parse_fhir_date(text)) == words


def test_a_span_of_days_names_both_ends() -> None:
    assert str(DateInterval(date(2024, 5, 17), date(2024, 6, 2))) == "between 17 May 2024 and 2 June 2024"


def test_only_a_known_day_is_exact() -> None:
    assert [parse_fhir_date(text).is_exact for text in ("2024", "2024-05", "2024-05-17")] == [False, False, True]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("birth", "day", "years"),
    [
        (date(1970, 6, 15), date(2025, 6, 14), 54),
        (date(1970, 6, 15), date(2025, 6, 15), 55),
        (date(2004, 2, 29), date(2025, 2, 28), 20),
        (date(2004, 2, 29), date(2025, 3, 1), 21),
    ],
)
def test_a_birthday_adds_a_year(birth: date, day: date, years: int) -> None:
    assert completed_years(birth, day) == years


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2024, 1, 31), 1, date(2024, 2, 29)),
        (date(2024, 3, 31), -1, date(2024, 2, 29)),
        (date(2024, 11, 15), 3, date(2025, 2, 15)),
        (date(2024, 1, 15), -1, date(2023, 12, 15)),
    ],
)
def test_months_are_counted_to_the_same_day_or_the_last_of_a_shorter_month(day: date, months: int, later: date) -> None:
    assert add_months(day, months) == later


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(-40_000, 40_000))
def test_days_between_undoes_adding_days(day: date, days: int) -> None:
    assert days_between(day, day + timedelta(days=days)) == days


@pytest.mark.parametrize("text", ["0001-01-01", "0001", "1753-01-01T00:00:00Z", "1874-12"])
def test_the_null_date_of_another_system_is_no_date_of_a_patient(text: str) -> None:
    assert parse_fhir_date(text) is None

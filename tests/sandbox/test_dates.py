"""A story stays true: its dates move with the calendar."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pydoc import locate
from typing import Any, get_args

import pytest
from fhir.resources.R4B import get_fhir_model_class
from fhir_core.types import Date, DateTime, Instant

from sandbox.charts import Chart, load_charts
from sandbox.dates import DATE_FIELDS, DATES_FIELD, in_words, move_dates
from sandbox.resource_types import PATIENT_OF

AS_OF = date(2026, 11, 22)


def test_on_the_day_of_the_story_nothing_moves(tif1_gamma_chart: Chart) -> None:
    assert tif1_gamma_chart.as_of(AS_OF) == tif1_gamma_chart


def test_a_year_later_the_mammography_is_still_two_months_ago(tif1_gamma_chart: Chart) -> None:
    today = AS_OF + timedelta(days=365)
    mammography = next(r for r in tif1_gamma_chart.as_of(today).of("DiagnosticReport") if "mammography" in r["id"])
    assert mammography["effectiveDateTime"] == "2027-09-20"


def test_the_patient_does_not_grow_older_than_the_story(tif1_gamma_chart: Chart) -> None:
    (patient,) = tif1_gamma_chart.as_of(AS_OF + timedelta(days=3652)).of("Patient")
    assert patient["birthDate"].startswith("1974")


@pytest.mark.parametrize(
    ("told", "moved"),
    [
        ("2026-07-31", "2026-08-30"),
        ("2026-07", "2026-08"),
        ("2015", "2015"),
        ("2026-11-22T08:00:00Z", "2026-12-22T08:00:00Z"),
    ],
)
def test_a_date_keeps_its_precision(told: str, moved: str) -> None:
    assert move_dates({"onsetDateTime": told}, 30) == {"onsetDateTime": moved}


def test_a_code_that_looks_like_a_year_stays() -> None:
    folic_acid = {"coding": [{"code": "4511"}], "text": "2026"}
    assert move_dates(folic_acid, 30) == folic_acid


def test_no_date_of_any_chart_is_forgotten() -> None:
    def strings(node: object) -> list[str]:
        if isinstance(node, dict):
            return [text for value in node.values() for text in strings(value)]
        if isinstance(node, list):
            return [text for value in node for text in strings(value)]
        return [node] if isinstance(node, str) else []

    for chart in load_charts().values():
        before = [text for resource in chart.resources for text in strings(resource)]
        after = [text for resource in chart.as_of(date(2126, 11, 22)).resources for text in strings(resource)]
        full_dates = [(b, a) for b, a in zip(before, after, strict=True) if re.match(r"\d{4}-\d\d($|-)", b)]
        assert full_dates
        assert all(a != b for b, a in full_dates)


def parts_of(annotation: Any) -> Iterator[Any]:
    """Every part of a type annotation."""
    yield annotation
    for part in (*get_args(annotation), *getattr(annotation, "__metadata__", ())):
        yield from parts_of(part)


def date_elements(*resource_types: str) -> set[str]:
    """The elements of these types, and of all that can stand in them, that the FHIR models say are dates."""
    found: set[str] = set()
    seen: set[type] = set()
    to_see: list[Any] = [get_fhir_model_class(each) for each in resource_types]
    while to_see:
        model = to_see.pop()
        if model in seen:
            continue
        seen.add(model)
        for name, field in model.model_fields.items():
            parts = [*parts_of(field.annotation), *field.metadata]
            if any(isinstance(part, Date | DateTime | Instant) for part in parts):
                found.add(field.alias or name)
            to_see += [locate(part._model_klass) for part in parts if hasattr(part, "_model_klass")]
    return found


def test_every_date_that_fhir_has_for_a_chart_moves() -> None:
    elements = date_elements(*PATIENT_OF, "Medication")
    assert {"issued", "dateAsserted", "time", "event", "occurrenceDateTime", "valueDateTime"} < elements
    assert elements - DATE_FIELDS == {"lastUpdated", "when", DATES_FIELD}
    assert move_dates(dict.fromkeys(DATE_FIELDS, "2026-07-31"), 30) == dict.fromkeys(DATE_FIELDS, "2026-08-30")


def test_dates_in_lists_move_and_codes_of_the_same_name_do_not() -> None:
    timing = {"event": ["2026-07-31", None, "2026-08-01T08:00:00Z"], "repeat": {"when": ["MORN"]}}
    assert move_dates(timing, 30) == {"event": ["2026-08-30", None, "2026-08-31T08:00:00Z"], "repeat": {"when": ["MORN"]}}
    contained = {"event": [{"text": "a visit", "period": {"start": "2026"}}]}
    assert move_dates(contained, 366) == {"event": [{"text": "a visit", "period": {"start": "2027"}}]}


@pytest.mark.parametrize(
    ("day", "words"),
    [("2026-09-10", "10 September 2026"), ("2026-07", "July 2026"), ("2015", "2015"), ("", "")],
)
def test_a_date_is_written_for_people(day: str, words: str) -> None:
    assert in_words(day) == words

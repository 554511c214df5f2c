"""What a row says became of a statement."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cards.outcomes import FIRED, SATISFIED, UNKNOWN
from cards.schedule import Due, DueState
from server.basis import packaged_basis
from server.cohort.rows import became, kind_of
from tests.server.charts import chart, resources
from tests.server.cohort.registries import as_bulk_data, ran, rows


def calendar(state: DueState, due_from: date) -> Due:
    """Of a screen whose repeats end with 2025."""
    return Due("screening imaging", state, date(2025, 1, 1), due_from, None, date(2025, 12, 31))


@pytest.mark.parametrize(
    ("due_from", "outcome"),
    [
        pytest.param(date(2025, 4, 1), "ended", id="a repeat stood open when the calendar ended"),
        pytest.param(date(2026, 1, 1), "satisfied", id="the next one would have come after its end"),
    ],
)
def test_a_repeat_that_was_missed_until_the_calendar_ended_is_not_done(due_from: date, outcome: str) -> None:
    assert became(SATISFIED, calendar(DueState.ENDED, due_from)) == outcome


@pytest.mark.parametrize(("outcome", "word"), [(FIRED, "holds"), (SATISFIED, "satisfied"), (UNKNOWN, "unknown")])
def test_without_a_calendar_the_words_are_those_of_the_documentation(outcome: str, word: str) -> None:
    assert became(outcome, None) == word


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("titulaer-2011-dm-ct-thorax-abdomen", "computed"),
        ("feasby-2007-no-ivig-ibm", "avoid"),
        ("bsr-2022-swallowing", "stated"),
        ("meyer-2019-assd-no-cpg", "gap"),
    ],
)
def test_advice_is_told_from_what_nobody_can_compute_and_from_what_is_advised_against(statement: str, kind: str) -> None:
    (rule,) = (rule for rule in packaged_basis().knowledge.rules if rule.id == statement)
    assert kind_of(rule) == kind


@pytest.mark.parametrize(
    ("death", "age", "years"),
    [
        pytest.param({"deceasedDateTime": "2010-03-01"}, 79, 5, id="on a day"),
        pytest.param({"deceasedDateTime": "2010"}, None, 5, id="in a year, before or after a birthday"),
        pytest.param({"deceasedBoolean": True}, None, None, id="nobody knows when"),
    ],
)
def test_the_dead_grow_no_older_and_take_nothing(
    tmp_path: Path, death: dict[str, Any], age: int | None, years: int | None
) -> None:
    bundle = chart("dermatomyositis-six-years")
    for resource in resources(bundle):
        if resource["resourceType"] == "Patient":
            resource |= {"birthDate": "1930-05-05", **death}
        if resource["resourceType"] == "Condition":
            resource |= {"onsetDateTime": "2005-01-01", "recordedDate": "2005-01-01"}
    ran(as_bulk_data(tmp_path / "in", [bundle]), tmp_path / "out")
    (row,) = rows(tmp_path / "out", "patients")
    assert (row["deceased"], row["age"], row["years_since_onset"]) == (True, age, years)
    assert (row["phase"], row["line"], row["current"]) == (None, None, "")


def test_of_the_living_age_and_treatment_are_those_of_today(tmp_path: Path) -> None:
    ran(as_bulk_data(tmp_path / "in", [chart("dermatomyositis-six-years")]), tmp_path / "out")
    (row,) = rows(tmp_path / "out", "patients")
    assert (row["age"], row["years_since_onset"], row["phase"]) == (66, 6, "induction")
    assert row["current"] == "methotrexate"

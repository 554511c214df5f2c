"""Results as charts: every point inside the plot, flags by the laboratory's own range, and nothing silently left out."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_profiles.sentences import Sentence
from server.patient_page.charts import Series, charts, series
from server.patient_page.plot import PLOT
from tests.for_each import for_each
from tests.patient import Patient
from tests.server.charts import slugs
from tests.server.evaluated import evaluated
from tests.server.patient_page.test_timeline import WOMAN, of


def drawn(patient: Patient, concept: str = "creatine_kinase") -> Series:
    """The chart of one kind of result."""
    return next(one for one in series(of(patient)) if one.concept == concept)


def assert_is_inside(one: Series) -> None:
    for point in one.points:
        assert PLOT.left <= point.may_start <= point.x <= point.may_end <= PLOT.right
        assert PLOT.top <= point.y <= PLOT.bottom
    for band in one.bands:
        assert PLOT.left <= band.x <= band.x + band.width <= PLOT.right + 0.1
        assert PLOT.top <= band.y <= band.y + band.height <= PLOT.bottom + 0.1
    assert [level.y for level in one.levels] == sorted((level.y for level in one.levels), reverse=True)
    assert all(before.x <= after.x for before, after in pairwise(one.points))


@for_each("slug", slugs())
def test_every_chart_of_a_story_keeps_within_its_plot(slug: str) -> None:
    for one in series(evaluated(slug)):
        assert_is_inside(one)
        assert len(one.points) == sum(fact.is_drawn for fact in one.facts)
        assert len(one.ticks) <= 4


numbers = st.floats(0.001, 1e6, allow_nan=False).map(lambda number: float(f"{number:.4g}"))


@settings(max_examples=25)
@given(st.lists(st.tuples(numbers, st.sampled_from(("2024-03-01", "2025", "2026-11-20"))), min_size=1, max_size=4), numbers)
def test_any_numbers_keep_within_the_plot_and_higher_ones_stand_higher(results: list[tuple[float, str]], high: float) -> None:
    patient = WOMAN
    for value, day in results:
        patient = patient.result("ferritin", value, unit="ng/mL", low=0, high=high, on=day)
    one = drawn(patient, "ferritin")
    assert_is_inside(one)
    by_reference = sorted(
        zip((float(fact.value.split()[0].replace(",", "")) for fact in reversed(one.facts)), one.points, strict=True),
        key=lambda p: p[0],
    )
    assert all(before[1].y >= after[1].y - 0.1 for before, after in pairwise(by_reference))


@pytest.mark.parametrize(
    ("value", "flag", "words"),
    [
        (500, "high", "500 U/L, above the laboratory's range"),
        (10, "low", "10 U/L, below the laboratory's range"),
        (90, "normal", "90 U/L, within the laboratory's range"),
    ],
)
def test_a_value_is_flagged_by_the_laboratorys_own_range(value: float, flag: str, words: str) -> None:
    (point,) = drawn(WOMAN.result("creatine_kinase", value, low=26, high=190, on="2026-11-01")).points
    assert point.flag == flag
    assert point.says == f"Creatine kinase, 1 November 2026: {words}"


def test_a_number_stays_a_number_for_languages_that_write_it_otherwise() -> None:
    fact = drawn(WOMAN.result("creatine_kinase", 6900.5, low=26, high=190, on="2026-11-01")).facts[0]
    assert fact.value == "6,900.5 U/L"
    assert isinstance(fact.value, Sentence)
    number = fact.value.values[0]
    assert isinstance(number, Sentence)
    assert (number.pattern, number.values) == ("{value:,.7g}", {"value": 6900.5})


def test_without_a_range_there_is_no_band_and_no_verdict() -> None:
    one = drawn(WOMAN.result("creatine_kinase", 500, on="2026-11-01"))
    assert one.bands == ()
    assert one.points[0].flag == "unjudged"
    assert "no range given" in one.newest


def test_a_range_that_changed_is_drawn_as_it_was_at_the_time() -> None:
    patient = WOMAN.result("creatine_kinase", 500, low=26, high=190, on="2026-06-01")
    one = drawn(patient.result("creatine_kinase", 300, low=30, high=250, on="2026-11-01"))
    first, second = one.bands
    assert (first.x, second.x) == (PLOT.left, one.points[1].x)
    assert first.y > second.y


@pytest.mark.requirement("SAF-12")
def test_a_number_with_a_comparator_keeps_it() -> None:
    observation = dict(WOMAN.result("ferritin", 5, unit="ng/mL", low=13, high=150, on="2026-11-01").resources[-1])
    observation["valueQuantity"] = {**observation["valueQuantity"], "comparator": "<"}
    one = drawn(Patient(WOMAN.sex, WOMAN.born, (*WOMAN.resources, observation)), "ferritin")
    assert one.points[0].comparator == "<"
    assert one.newest == "Newest: < 5 ng/mL, below the laboratory's range, 1 November 2026"
    assert one.notes == ("A number with < or > is a limit: the true value lies beyond it.",)


@pytest.mark.requirement("SAF-11")
def test_results_in_different_units_are_not_drawn_on_one_scale() -> None:
    patient = WOMAN.add("Observation", **_mmt8(60, "{score}", "2026-06-01"))
    one = drawn(patient.add("Observation", **_mmt8(75, "%", "2026-11-01")), "mmt8")
    assert [fact.is_drawn for fact in one.facts] == [True, False]
    assert one.unit == "%"
    assert one.notes == ("1 result in another unit is in the table only; units that are not listed are not converted.",)


def _mmt8(value: float, unit: str, day: str) -> dict[str, object]:
    template = dict(WOMAN.result("mmt8", value, on=day).resources[-1])
    template.pop("resourceType")
    template.pop("id")
    return template | {"valueQuantity": {"value": value, "unit": unit}}


def test_a_result_without_a_date_is_in_the_table_only() -> None:
    one = drawn(WOMAN.result("creatine_kinase", 500, on=None))
    assert one.points == ()
    assert one.notes == ("1 result without a date is in the table only.",)
    assert one.facts[0].when == "undated"


def test_the_threshold_of_strength_is_that_of_the_source_and_of_nothing_else() -> None:
    patient = WOMAN.strength("proximal", 3).raised_ck()
    thresholds = {one.concept: one.threshold for one in series(of(patient))}
    assert thresholds["creatine_kinase"] is None
    strength = thresholds["muscle_strength_mrc_proximal"]
    assert strength is not None
    assert strength.label == "below 4 in several muscle groups: severe (BMJ Best Practice)"
    grade = drawn(patient, "muscle_strength_mrc_proximal")
    assert [level.label for level in grade.levels] == ["0", "1", "2", "3", "4", "5"]
    assert strength.y == grade.levels[4].y


def test_a_saturation_is_not_drawn_beyond_a_hundred_per_cent() -> None:
    levels = drawn(WOMAN.result("oxygen_saturation", 96, unit="%", low=95, on="2026-11-01"), "oxygen_saturation").levels
    assert levels[-1].label == "100"


@pytest.mark.parametrize(
    ("patient", "sentence"),
    [
        (WOMAN, "Ferritin: none in the data supplied."),
        (WOMAN.failed("Observation"), "Ferritin: none was read; results could not be read completely."),
        (WOMAN.without("Observation"), "Ferritin: none in the data supplied; results were not supplied."),
    ],
)
def test_what_is_not_there_is_said_and_never_taken_for_none(patient: Patient, sentence: str) -> None:
    found = charts(of(patient))
    assert found.series == ()
    assert found.absent[-1] == sentence
    assert len(found.absent) == 5


def test_a_value_that_could_not_be_read_is_not_called_absent() -> None:
    observation = dict(WOMAN.result("ferritin", 5, on="2026-11-01").resources[-1])
    observation["valueQuantity"] = {"value": 5, "unit": "bushels"}
    found = charts(of(Patient(WOMAN.sex, WOMAN.born, (*WOMAN.resources, observation))))
    assert found.absent[-1] == "Ferritin: on record, without a number in a unit that is known here."

"""The timeline: nothing of the chart is lost or drawn twice, and nothing is drawn where it was not."""

from collections import Counter
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.dates import DateInterval
from server.basis import packaged_basis
from server.evaluation import Evaluation, evaluate
from server.patient_page.charts import series
from server.patient_page.lanes import every
from server.patient_page.time_axis import MOST_TICKS, axis_over
from server.patient_page.timeline import Lane, Timeline
from server.patient_page.treatment_rows import treatment_rows
from tests.for_each import for_each
from tests.patient import Patient
from tests.server.charts import AS_OF, slugs
from tests.server.evaluated import evaluated
from tests.server.patient_page.drawn import timeline

WOMAN = Patient(born="1980-02-01").has("dermatomyositis", since="2026-05")


def of(patient: Patient) -> Evaluation:
    """A patient, evaluated."""
    return evaluate([patient.bundle()], as_of=patient.as_of, seed="x", patient_id="1", inputs=patient.inputs())


def lanes(view: Timeline) -> dict[str, Lane]:
    """The rows by their titles."""
    return {lane.title: lane for group in view.groups for lane in group.lanes}


# --- the axis ---------------------------------------------------------------------------------------------------------------

days = st.dates(date(1950, 1, 1), date(2040, 12, 31))


@given(st.lists(days, max_size=6), days)
def test_the_axis_holds_every_day_in_order_with_few_ticks(some: list[date], as_of: date) -> None:
    axis = axis_over(some, as_of)
    assert axis.start <= min((*some, as_of))
    assert axis.end > max((*some, as_of))
    assert 2 <= len(axis.ticks) <= MOST_TICKS <= 12
    assert all(before.at < after.at for before, after in pairwise(axis.ticks))
    assert len({tick.label for tick in axis.ticks}) == len(axis.ticks)
    ordered = sorted({*some, as_of})
    assert all(axis.at(before) <= axis.at(after) for before, after in pairwise(ordered))
    assert all(0 <= axis.at(day) <= 100 for day in some)


# --- laws over all stories ----------------------------------------------------------------------------------------------------


@for_each("slug", slugs())
def test_every_course_has_one_row_with_all_of_its_entries(slug: str) -> None:
    found = evaluated(slug)
    (rows,) = (group.lanes for group in timeline(found).groups if group.title == "Treatments")
    courses = found.assessment.treatment.courses.values()
    assert Counter(row.title for row in rows) == Counter(course.title for course in courses)
    for course in courses:
        (row,) = (row for row in rows if row.title == course.title)
        assert Counter(one.reference for one in row.happenings) == Counter(item.reference for item in course.evidence)


@for_each("slug", slugs())
def test_every_result_event_order_and_diagnosis_appears_once(slug: str) -> None:
    found = evaluated(slug)
    record = found.record
    drawn = Counter(
        one.reference
        for group in timeline(found).groups
        if group.title != "Treatments"
        for lane in group.lanes
        for one in lane.happenings
        if one.reference
    )
    drawn.update(fact.reference for one in series(found) for fact in one.facts)
    facts = [fact for filed in (record.results, record.events, record.orders, record.refusals) for fact in every(filed)]
    diagnoses = {fact.reference for filed in record.diagnoses.values() for fact in filed}
    behind = {fact.reference for phenotype in found.assessment.phenotypes for fact in phenotype.diagnoses}
    assert drawn == Counter(fact.reference for fact in facts) + Counter(diagnoses | behind)


@pytest.mark.parametrize("slug", slugs())
def test_only_what_is_due_lies_after_today_and_all_lies_inside(slug: str) -> None:
    view = timeline(evaluated(slug))
    for group in view.groups:
        for lane in group.lanes:
            for bar in lane.bars:
                assert 0 <= bar.may_start <= bar.start <= bar.end <= bar.may_end <= 100
                assert bar.kind == "due" or bar.may_end <= view.today
            for mark in lane.marks:
                assert 0 <= mark.may_start <= mark.at <= mark.may_end <= 100
                assert mark.kind == "due" or mark.may_end <= view.today
            names = [drawn.says for drawn in (*lane.bars, *lane.marks)]
            assert all(lane.title in name for name in names)


# --- how things are drawn -----------------------------------------------------------------------------------------------------


def test_a_drug_that_is_taken_goes_on_to_today_and_says_so() -> None:
    view = timeline(of(WOMAN.takes("azathioprine", since="2026-06-01")))
    (bar,) = lanes(view)["azathioprine"].bars
    assert (bar.kind, bar.goes_on, bar.end) == ("current", True, view.today)
    assert bar.says == "azathioprine, since 1 June 2026: Azathioprine, current"
    assert lanes(view)["azathioprine"].summary == "current, since 1 June 2026"


@pytest.mark.parametrize(
    ("reason", "word", "kind"),
    [
        ("ineffective", "failed", "failed"),
        ("intolerance", "not tolerated", "not-tolerated"),
        (None, "stopped, reason unknown", "stopped"),
    ],
)
def test_what_became_of_a_treatment_is_said_in_words(reason: str | None, word: str, kind: str) -> None:
    lane = lanes(timeline(of(WOMAN.stopped("methotrexate", because=reason))))["methotrexate"]
    assert lane.summary.startswith(word)
    assert lane.bars[-1].kind == kind


def test_methotrexate_is_said_by_the_week_as_it_is_given() -> None:
    found = evaluated("dermatomyositis-six-years")
    lane = lanes(timeline(found))["methotrexate"]
    assert "15 mg in a week, all doses together" in lane.summary
    assert "2.14" not in str(lane)


@pytest.mark.requirement("SAF-10")
def test_a_date_that_is_only_a_year_is_drawn_as_that_year_and_not_beyond_today() -> None:
    view = timeline(of(Patient(born="1980-02-01").has("dermatomyositis", since="2026")))
    (mark,) = lanes(view)["Dermatomyositis"].marks
    assert mark.may_start == view.axis.at(date(2026, 1, 1))
    assert mark.may_end == view.today
    assert mark.says.startswith("Dermatomyositis, 2026: began")


def test_a_drug_that_began_in_some_month_is_sure_only_after_it() -> None:
    view = timeline(of(WOMAN.takes("azathioprine", since="2026-06")))
    (bar,) = lanes(view)["azathioprine"].bars
    assert bar.may_start == view.axis.at(date(2026, 6, 1))
    assert bar.start == view.axis.at(date(2026, 6, 30))


def test_what_has_no_date_is_in_the_table_and_not_in_the_drawing() -> None:
    lane = lanes(timeline(of(WOMAN.antibody("anti_mda5", "positive", on=None))))["anti-MDA5"]
    assert lane.marks == ()
    assert [(one.when, one.says) for one in lane.happenings] == [("undated", "positive")]


def test_an_old_diagnosis_does_not_stretch_the_axis() -> None:
    view = timeline(of(WOMAN.has("hypertension", since="1999")))
    (mark,) = lanes(view)["Hypertension"].marks
    assert view.axis.start.year == 2026
    assert (mark.at, mark.is_before) == (0, True)
    assert mark.says.startswith("Hypertension, 1999: began")


def test_what_falls_due_lies_ahead_of_today() -> None:
    view = timeline(of(WOMAN.strength("proximal", 4, on="2026-11-10")))
    (mark,) = lanes(view)["measure of activity or disability (Alexanderson 2007)"].marks
    assert mark.at > view.today
    assert mark.says.endswith("due from 1 May 2027: measure of activity or disability")


def test_an_empty_chart_is_said_in_sentences() -> None:
    view = timeline(of(Patient()))
    assert [group.lanes for group in view.groups] == [()] * 6
    assert all(group.empty.endswith(".") for group in view.groups)
    assert view.severity == ""


@pytest.mark.parametrize("since", ["2024", "2026-10", "2026-11-22"])
@pytest.mark.parametrize("reason", ["ineffective", "intolerance", None])
def test_the_word_of_a_bar_has_room_beside_or_inside_it(since: str, reason: str | None) -> None:
    for patient in (WOMAN.takes("azathioprine", since=since), WOMAN.stopped("azathioprine", because=reason)):
        lane = lanes(timeline(of(patient)))["azathioprine"]
        if lane.word:
            room = 2 * len(lane.word.text)
            inside = lane.bars[-1].end - lane.bars[-1].start
            free = {"inside": inside, "after": 100 - lane.word.at, "before": lane.word.at}[lane.word.place]
            assert free >= room


def test_a_course_that_is_judged_failed_while_it_is_taken_says_by_what() -> None:
    lane = lanes(timeline(evaluated("juvenile-dermatomyositis-resistant")))["methotrexate"]
    assert lane.summary.startswith("failed, still taken")
    assert "judged by: active disease after at least 12 weeks (working definition, dose not judged)" in lane.summary


def test_a_single_infusion_is_a_point_and_a_series_of_them_a_bar() -> None:
    found = of(WOMAN.given("rituximab", on="2026-09-01"))
    lane = lanes(timeline(found))["rituximab"]
    assert [(mark.kind, mark.says) for mark in lane.marks] == [("dose", "rituximab, 1 September 2026: Rituximab, given")]
    assert lane.bars == ()
    ivig = lanes(timeline(evaluated("dermatomyositis-third-line")))["intravenous immunoglobulin"]
    assert ivig.marks == ()
    assert [bar.kind for bar in ivig.bars] == ["failed"]


def test_the_day_of_the_stories_is_the_day_of_the_drawing() -> None:
    assert timeline(evaluated("healthy")).as_of == DateInterval(AS_OF, AS_OF)


def test_a_prescribed_dose_is_not_called_a_mean() -> None:
    evaluation = evaluated("dermatomyositis-refractory-severe")
    said = [one.says for row in treatment_rows(evaluation, packaged_basis().terminology) for one in row.happenings]
    assert any("prescribed " in words for words in said)
    assert not any("on average" in words for words in said)

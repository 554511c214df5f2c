"""The calendar: what is done, due, ahead, ordered, over or not to be told, with the source's own interval."""

import pytest

from cards.recommend import calendar
from server.patient_page.calendar import CalendarView, Entry
from tests.patient import Patient
from tests.server.charts import slugs
from tests.server.evaluated import evaluated
from tests.server.patient_page.drawn import calendar_view
from tests.server.patient_page.test_timeline import of

REPEAT = "titulaer-2011-dm-repeat-3-6-months"
WOMAN = Patient(born="1980-02-01").has("dermatomyositis", since="2026-05")


def screened(on: str) -> Patient:
    """A woman under 50 whose primary tumour screen is complete."""
    return WOMAN.had("ct_chest_abdomen_pelvis", on=on).had("pelvic_ultrasound", on=on).had("mammography", on=on)


def entry(patient: Patient, statement: str = REPEAT) -> Entry:
    """What the calendar says about one statement."""
    return next(one for one in calendar_view(of(patient)).entries if one.id == statement)


def months(view: CalendarView) -> list[str]:
    """The headings of the list."""
    return [month.title for month in view.months]


@pytest.mark.parametrize("slug", slugs())
def test_every_calendar_of_a_source_stands_in_it_once_and_in_order(slug: str) -> None:
    found = evaluated(slug)
    view = calendar_view(found)
    ids = [one.id for one in view.entries]
    assert len(ids) == len(set(ids))
    assert set(calendar(found.assessment, found.knowledge)) <= set(ids)
    listed = [one.id for month in view.months for one in month.entries]
    assert sorted(listed) == sorted(one.id for one in view.entries if one.state not in ("done", "ended"))
    assert all(one.title and one.state_words and one.interval and one.source.citation for one in view.entries)


@pytest.mark.parametrize(
    ("done", "state", "words", "month"),
    [
        ("2026-09-20", "upcoming", "next due from 20 December 2026", "December 2026"),
        ("2026-07-20", "due", "due since 20 October 2026", "Now"),
        ("2026-05-02", "overdue", "overdue since 2 November 2026", "Now"),
    ],
)
def test_a_repeat_says_how_it_stands_today(done: str, state: str, words: str, month: str) -> None:
    patient = screened(done)
    found = entry(patient)
    assert (found.state, found.state_words) == (state, words)
    assert month in months(calendar_view(of(patient)))
    assert found.interval == "3 to 6 months after the last, once it was done 1 time; ends 48 months after the disease began"
    assert found.done[0].reference


def test_a_repeat_that_is_ordered_shows_the_order() -> None:
    found = entry(screened("2026-07-20").ordered("ct_chest_abdomen_pelvis", on="2026-11-15"))
    assert (found.state, found.state_words) == ("ordered", "ordered, not done yet")
    assert found.ordered[0].text == "ordered, 15 November 2026"
    assert found.ordered[0].reference.startswith("ServiceRequest/")


def test_what_cannot_be_told_says_what_is_missing() -> None:
    unread = entry(WOMAN.failed("Observation"), "alexanderson-2007-measure-schedule")
    assert unread.state == "unknown"
    assert unread.state_words.startswith("cannot be told: ")
    assert unread.missing
    undated = entry(Patient(born="1980-02-01").has("dermatomyositis"), "alexanderson-2007-measure-schedule")
    assert undated.state_words == "cannot be told: when the disease began"


def test_a_single_test_is_due_until_it_is_done() -> None:
    statement = "titulaer-2011-dm-mammography-women"
    assert entry(WOMAN, statement).state_words == "due now, not on record"
    done = entry(WOMAN.had("mammography", on="2026-06-01"), statement)
    assert (done.state, done.done[0].text) == ("done", "mammography done on 1 June 2026")
    assert entry(WOMAN.ordered("mammography", on="2026-11-01"), statement).state == "ordered"


def test_a_patient_in_neither_age_band_is_told_so_and_nothing_is_called_done() -> None:
    view = calendar_view(evaluated("dermatomyositis-exactly-50"))
    (found,) = (one for one in view.entries if one.id == "titulaer-2011-dm-colonoscopy-over-50")
    assert (found.title, found.state) == ("colonoscopy", "unknown")
    assert "neither age band" in found.state_words


def test_only_what_a_patient_had_is_named_as_done() -> None:
    view = calendar_view(evaluated("dermatomyositis-six-years"))
    (summary,) = (one for one in view.entries if one.id == "meyer-2019-dm-tumour-summary")
    assert summary.title == "CT of the thorax, CT of the abdomen, colonoscopy"


def test_a_calendar_that_is_over_says_when_it_ended() -> None:
    view = calendar_view(evaluated("dermatomyositis-six-years"))
    (ended,) = (one for one in view.entries if one.state == "ended")
    assert ended.state_words == "ended on 1 September 2024"
    assert [item.text for item in ended.done] == ["9 May 2023", "4 December 2020"]


def test_a_test_that_was_declined_is_not_called_due() -> None:
    view = calendar_view(evaluated("dermatomyositis-declined-colonoscopy"))
    declined = [one for one in view.entries if "declined" in one.state_words]
    assert [one.id for one in declined] == ["titulaer-2011-dm-colonoscopy-over-50"]
    assert declined[0].state == "unknown"


def test_a_patient_without_myositis_has_an_empty_calendar_that_says_so() -> None:
    view = calendar_view(evaluated("healthy"))
    assert view.entries == ()
    assert view.empty == "No screening or monitoring statement of the sources concerns this patient."

"""The drawings of an evaluation, as the page has them made."""

from cards.considered import considered
from cards.recommend import calendar
from server.evaluation import Evaluation
from server.patient_page import calendar as calendars
from server.patient_page import timeline as timelines


def timeline(found: Evaluation) -> timelines.Timeline:
    """The timeline."""
    return timelines.timeline(found, calendar(found.assessment, found.knowledge))


def calendar_view(found: Evaluation) -> calendars.CalendarView:
    """The calendar."""
    assessment, known = found.assessment, found.knowledge
    return calendars.calendar_view(found, calendar(assessment, known), considered(assessment, known))

"""How a calendar of a source stands today, in words."""

from datetime import date

from cards.schedule import Due, DueState
from fhir_profiles.dates import DateInterval
from fhir_profiles.sentences import Sentence, join, say


def state_words(due: Due) -> Sentence:
    """`overdue since 10 September 2026`, `due since …`, `next due from …`, `ordered`, `ended on …`, `cannot be told: …`."""
    if due.state is DueState.UNKNOWN:
        return say("cannot be told: {missing}", missing=join("; ", [item.text for item in due.missing]))
    if due.state is DueState.ORDERED:
        return say("ordered, not done yet")
    if due.state is DueState.ENDED:
        return say("ended on {day}", day=_day(due.ends)) if due.ends else say("ended")
    if due.state is DueState.OVERDUE and due.overdue_after:
        return say("overdue since {day}", day=_day(due.overdue_after))
    if due.state is DueState.DUE and due.due_from:
        return say("due since {day}", day=_day(due.due_from))
    return say("next due from {day}", day=_day(due.due_from)) if due.due_from else say("nothing falls due")


def _day(day: date) -> DateInterval:
    return DateInterval(day, day)

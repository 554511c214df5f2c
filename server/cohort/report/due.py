"""What is due: for how many at each site, and which tests."""

from server.cohort.report.counting import Asked
from server.cohort.report.rows import CANNOT_TELL, rows_of_sites
from server.cohort.report.shapes import Chart, Table
from server.cohort.report.whole import Whole
from server.cohort.report.whom import LIVING
from server.cohort.shared import NO_SITE

_OVERDUE, _DUE = "overdue", "due now"
_NOT_OFFERED, _NOT_REPEATED, _UP_TO_DATE = "held back or declined", "ended, not repeated", "up to date"
_STATES = (_OVERDUE, _DUE, CANNOT_TELL, _NOT_OFFERED, _NOT_REPEATED, _UP_TO_DATE)

_BY_STATE = f"""
    WITH each AS (
        SELECT patient, any_value(site) AS site,
            CASE WHEN bool_or(outcome = 'holds' AND due_state = 'overdue' AND NOT assumed) THEN '{_OVERDUE}'
                WHEN bool_or(outcome = 'holds' AND NOT assumed AND (orders <> '' OR coalesce(due_state = 'due', false)))
                    THEN '{_DUE}'
                WHEN bool_or(outcome = 'unknown' OR assumed OR (outcome = 'holds' AND orders = '' AND missing <> ''))
                    THEN '{CANNOT_TELL}'
                WHEN bool_or(outcome = 'holds') THEN '{_NOT_OFFERED}'
                WHEN bool_or(outcome = 'ended') THEN '{_NOT_REPEATED}' ELSE '{_UP_TO_DATE}' END AS state
        FROM recommendations WHERE list_contains($1, recommendation) GROUP BY patient)
    SELECT coalesce(each.site, '{NO_SITE}'), state, count(*) FROM each JOIN patients USING (patient)
    WHERE {LIVING} GROUP BY 1, 2"""


def due_by_site(asked: Asked, topic: str, living: Whole) -> Table:
    """How it stands with the tests and referrals of a topic, for how many at each site.

    Args:
        asked: the tables.
        topic: its key.
        living: with myositis in the chart.
    """
    counted: dict[str, dict[str, int]] = {}
    asks_for_tests = [
        rule.id for rule in asked.known.rules if rule.topic == topic and (rule.orders or rule.orders_if or rule.schedule)
    ]
    for site, state, number in asked.rows(_BY_STATE, asks_for_tests):
        counted.setdefault(site, dict.fromkeys(_STATES, 0))[state] = int(number)
    states = tuple(state for state in _STATES if any(of_site[state] for of_site in counted.values()))
    by_site = {site: {state: of_site[state] for state in states} for site, of_site in counted.items()}
    note = (
        "Patients for whom a statement asks for a test or a referral. Overdue: a repeat whose last day by the source has passed. "
        "Due now: anything else that is asked for, is not shown as done or ordered, and would be shown if it were. "
        "Ended, not repeated: nothing is due any more, and a repeat is not on record before its calendar ended. "
        "Up to date: done, ordered or not yet due."
    )
    return Table(asked.known.topics[topic].display, states, rows_of_sites(by_site, asked.least, living), note)


_BY_TEST = f"""
    WITH open AS (
        SELECT patient, unnest(string_split(orders, ' ')) AS test FROM recommendations
        WHERE outcome = 'holds' AND NOT assumed AND orders <> '' AND list_contains($1, recommendation)
        UNION ALL SELECT patient, 'repeat ' || recommendation FROM recommendations
        WHERE outcome = 'holds' AND NOT assumed AND due_state IN ('due', 'overdue') AND list_contains($1, recommendation))
    SELECT test, count(DISTINCT patient) FROM open JOIN patients USING (patient) WHERE {LIVING} GROUP BY 1"""


def due_by_test(asked: Asked, topic: str, living: Whole) -> Chart:
    """Which tests and referrals of a topic are due, for how many.

    Args:
        asked: the tables.
        topic: its key.
        living: with myositis in the chart.
    """
    rules = [rule for rule in asked.known.rules if rule.topic == topic]
    repeats = {f"repeat {rule.id}": f"repeat of {rule.schedule.title} ({rule.id})" for rule in rules if rule.schedule}
    titles = {key: str(order["title"]) for key, order in asked.known.orders.items()} | repeats
    note = "All living patients with myositis; counted is for whom of them it is due or overdue. A patient may count in several."
    title = f"{asked.known.topics[topic].display}: what is due"
    return asked.each(title, _BY_TEST, titles, living, note, [rule.id for rule in rules])

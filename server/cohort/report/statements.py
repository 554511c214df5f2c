"""The guidelines: which statements hold for how many, and whom their disagreements concern."""

from collections.abc import Iterable, Sequence

from cards.knowledge import Rule
from server.cohort.report.counting import MOST_ROWS, Asked
from server.cohort.report.rows import CANNOT_TELL, row_of_parts
from server.cohort.report.shapes import Chart, Table
from server.cohort.report.whole import Whole
from server.cohort.report.whom import LIVING
from server.cohort.report.withholding import place

_OUTCOMES = ("holds", CANNOT_TELL, "ended", "satisfied")
_THERAPY = "nextLineTherapy"

_BY_STATEMENT = f"""
    SELECT recommendation, count(*) FILTER (outcome = 'holds' AND NOT assumed) AS holds,
        count(*) FILTER (outcome = 'unknown' OR assumed),
        count(*) FILTER (outcome = 'ended'), count(*) FILTER (outcome = 'satisfied')
    FROM recommendations JOIN patients USING (patient)
    WHERE {LIVING} AND kind = 'computed' AND list_contains($1, recommendation)
    GROUP BY 1 HAVING holds > 0 ORDER BY holds DESC, 1 LIMIT {MOST_ROWS}"""


def statements(asked: Asked, living: Whole) -> Table:
    """Statements that ask for something to be done, and for how many it is not.

    Args:
        asked: the tables.
        living: with myositis in the chart.
    """
    note = (
        "Holds: it applies, and the data that would show it done were sent and do not. Cannot be told: a datum is missing, or "
        "the data that would show it done were not sent. Ended: no repeat is on record before its calendar ended. "
        "Satisfied: done, ordered or not yet due. Advice on treatments is left out: there the words mean something else."
    )
    rules = [rule for rule in asked.known.rules if not _is_of_treatment(rule)]
    return _by_statement(asked, living, "Statements that hold most often", rules, _OUTCOMES, note)


def treatments(asked: Asked, living: Whole) -> Table:
    """Statements that name treatments, and to how many they apply.

    Args:
        asked: the tables.
        living: with myositis in the chart.
    """
    note = (
        "Applies: the patient is one of those for whom the source names the treatment. Some take it already, and some had it "
        "before: how many apply is not how many are without treatment. Cannot be told: a datum is missing. Whether a treatment "
        "suits a patient is in no table. Advice against a treatment is left out."
    )
    rules = [rule for rule in asked.known.rules if _is_of_treatment(rule)]
    return _by_statement(asked, living, "Treatment statements that apply", rules, ("applies", *_OUTCOMES[1:]), note)


def _is_of_treatment(rule: Rule) -> bool:
    """Whether it says who may have a treatment, which stays true of those who take it."""
    return rule.topic == _THERAPY or bool(rule.offers)


def _by_statement(asked: Asked, living: Whole, title: str, rules: Iterable[Rule], outcomes: Sequence[str], note: str) -> Table:
    """A row for each statement that holds for most, without what none of them came to."""
    says = {rule.id: rule.says for rule in rules if rule.is_computed}
    found = {
        name: dict(zip(outcomes, map(int, numbers), strict=True)) for name, *numbers in asked.rows(_BY_STATEMENT, list(says))
    }
    columns = tuple(outcome for outcome in outcomes if any(counted[outcome] for counted in found.values()))
    rows = []
    for name, numbers in found.items():
        counted = {column: numbers[column] for column in columns}
        of = living.part(sum(counted.values()), asked.least)
        rows.append(row_of_parts(name, counted, of.withheld(counted, asked.least), of, says[name]))
    rows.sort(key=lambda row: place(row.cells[0], row.label))  # by how many it holds for, as far as that is shown
    return Table(title, columns, tuple(rows), note)


def disputes(asked: Asked, living: Whole) -> Chart:
    """Where guidelines disagree, and for how many that matters.

    Args:
        asked: the tables.
        living: with myositis in the chart.
    """
    query = f"""WITH told AS (
            SELECT patient, unnest(string_split(conflicts, ' ')) AS dispute FROM recommendations
            WHERE outcome = 'holds' AND NOT assumed AND kind IN ('computed', 'avoid') AND conflicts <> '')
        SELECT dispute, count(DISTINCT patient) FROM told JOIN patients USING (patient) WHERE {LIVING} GROUP BY 1"""
    titles = {code: f"{code}: {dispute.contradiction.title}" for code, dispute in asked.known.disputes.items()}
    note = (
        "Living patients with myositis to whom a statement applies, and is not met, that other guidelines dispute: the "
        "guidelines disagree, not those who care for the patients. Statements that are not computed are left out. "
        "A patient may count in several."
    )
    return asked.each("Patients concerned by a disagreement of guidelines", query, titles, living, note)

"""The numbers of a report, out of the tables of a run."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from cards.knowledge import Knowledge, Rule
from server.cohort.report.withholding import withheld, withheld_in_table
from server.cohort.shared import NO_SITE
from server.cohort.survey import EXPECTED
from server.cohort.tables import duckdb

CONFIRMED = "certainty IN ('recorded', 'supported')"
"""Of whom therapy may be spoken: the diagnosis is in the chart."""

LIVING = f"{CONFIRMED} AND NOT deceased"
"""Of whom the charts of the disease and of care speak: nothing is due for the dead."""

IBM = "list_contains(string_split(phenotypes, ' '), 'inclusion-body-myositis')"
"""Who needs no immunosuppression, so that none of it is no lack of treatment."""

OVERDUE, DUE, CANNOT_TELL = "overdue", "due now", "cannot be told"
NOT_OFFERED, NOT_REPEATED, UP_TO_DATE = "held back or declined", "ended, not repeated", "up to date"
_STATES = (OVERDUE, DUE, CANNOT_TELL, NOT_OFFERED, NOT_REPEATED, UP_TO_DATE)
_OUTCOMES = ("holds", CANNOT_TELL, "ended", "satisfied")

_THERAPY = "nextLineTherapy"
_TOPICS = ("lungFunction", "tumourScreening", "diagnosticWorkup")

_MOST_ROWS = 25

_ALL_SITES = ""
"""A row that no site can be taken for, whatever it is called."""

_OTHERS = ""
"""A part that stands in no chart: who is not among those of whom it speaks."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One number of a chart.

    Args:
        label: of what.
        number: patients; None where it is withheld.
        share: of the longest bar, 0 to 1.
        per_cent: of all who are counted here; None where it is withheld.
    """

    label: str
    number: int | None
    share: float
    per_cent: float | None


@dataclass(frozen=True, slots=True)
class Chart:
    """Numbers that make up a whole.

    Args:
        title: what is counted.
        of: how many patients they make up; None where that is withheld.
        bars: longest first, or in their own order.
        note: what must be known to read it.
    """

    title: str
    of: int | None
    bars: tuple[Bar, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One site, or one statement.

    Args:
        label: its name.
        of: patients; None where that is withheld.
        cells: patients by column; None where a number is withheld.
        shares: the same, of all in the row, 0 to 1; 0 where one is withheld.
        detail: more about it.
    """

    label: str
    of: int | None
    cells: tuple[int | None, ...]
    shares: tuple[float, ...]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A whole in two directions."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a report shows.

    Args:
        account: `run.json`.
        resources, passed_over: how many were read, and were not, by type.
        patients: how many there are.
        confirmed, dead: of how many the chart has a diagnosis of myositis; the living and the dead.
        charts: of those with myositis.
        due: topic by site.
        tests: the same by what is to be done; and of whom a tumour screen is asked.
        statements: which hold for how many.
        treatments: the same of those that name treatments.
        disputes: where guidelines disagree.
        sent: patients of whom there is anything of a type, by site.
        quality: troubles with the data.
        least: fewest patients that a number may be about.
    """

    account: Mapping[str, Any]
    resources: Mapping[str, int | None]
    passed_over: Mapping[str, int | None]
    patients: int | None
    confirmed: int | None
    dead: int | None
    charts: tuple[Chart, ...]
    due: tuple[Table, ...]
    tests: tuple[Chart, ...]
    statements: Table
    treatments: Table
    disputes: Chart
    sent: Table
    quality: tuple[Chart, ...]
    least: int


def figures(out: Path, known: Knowledge, least: int) -> Report:
    """Count.

    Args:
        out: folder of the results.
        known: the knowledge of the run, for names.
        least: fewest patients that a number may be about.
    """
    with duckdb(out) as database:
        for name in ("patients", "recommendations", "issues"):
            source = str(out / f"{name}.parquet").replace("'", "''")
            database.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{source}')")
        asked = _Asked(database, known, least)
        everybody, living, dead = _whom(asked)
        account = orjson.loads((out / "run.json").read_bytes())
        return Report(
            account=account,
            resources={kind: asked.shown(number) for kind, number in account["resources"].items()},
            passed_over={kind: asked.shown(number) for kind, number in account["resourcesPassedOver"].items()},
            patients=everybody.shown,
            confirmed=living.shown,
            dead=dead.shown,
            charts=_of_the_disease(asked, living),
            due=tuple(_due_by_site(asked, topic) for topic in _TOPICS),
            tests=(
                *(_due_by_test(asked, topic, living) for topic in _TOPICS),
                *_tumours(asked),
            ),
            statements=_statements(asked),
            treatments=_treatments(asked),
            disputes=_disputes(asked, living),
            sent=_sent(account["patientsByKind"], least),
            quality=_quality(asked, everybody),
            least=least,
        )


@dataclass(frozen=True, slots=True)
class _Whole:
    """Of whom a chart speaks.

    Args:
        number: patients.
        is_hidden: the number is withheld wherever it would stand, and whatever it could be had from.
        beside: how many others are withheld with it, which whoever knew this number would know.
    """

    number: int
    is_hidden: bool
    beside: int = 0

    @property
    def shown(self) -> int | None:
        return None if self.is_hidden else self.number


@dataclass(frozen=True, slots=True)
class _Asked:
    """The tables, and how to speak of them."""

    database: Any
    known: Knowledge
    least: int

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self.database.execute(query, list(values)).fetchall()
        return found

    def shown(self, number: int) -> int | None:
        """A number that stands alone."""
        return None if 0 < number < self.least else number

    def parts(
        self,
        title: str,
        query: str,
        names: Mapping[str, str] | None = None,
        *,
        of: _Whole | None = None,
        note: str = "",
        by_size: bool = True,
    ) -> Chart:
        """A chart of what a query counts, by a label that everybody has one of; the whole is their sum if none is given."""
        counted = {str(label): int(number) for label, number in self.rows(query)}
        whole = of or self.alone(sum(counted.values()))
        # From all parts the whole could be had: of one that is withheld some are withheld too.
        others = {_OTHERS: whole.beside} if whole.is_hidden else {}
        hidden = frozenset(counted) if whole.number < self.least else withheld(counted | others, self.least, others)
        order = sorted(counted, key=lambda name: (-counted[name], name)) if by_size else sorted(counted)
        return Chart(title, whole.shown, _bars([(name, counted[name]) for name in order], names or {}, whole, hidden), note)

    def each(self, title: str, query: str, names: Mapping[str, str], of: _Whole, note: str, *values: object) -> Chart:
        """A chart of numbers that may be about the same patients: each stands alone, and so does what it leaves of the whole."""
        counted = [(str(label), int(number)) for label, number in self.rows(query, *values)]
        hidden = {label for label, number in counted if number < self.least or 0 < of.number - number < self.least}
        hidden |= {label for label, number in counted if of.is_hidden and number == of.number}
        return Chart(title, of.shown, _bars(counted, names, of, hidden), note)

    def alone(self, number: int) -> _Whole:
        """A whole that nothing else tells of."""
        return _Whole(number, 0 < number < self.least)


def _bars(counted: Sequence[tuple[str, int]], names: Mapping[str, str], of: _Whole, hidden: Collection[str]) -> tuple[Bar, ...]:
    """The bars of a chart. The longest is one that is shown: from the others a longer one that is withheld could be had.

    Nor does a bar say its share of a whole that is withheld.
    """
    longest = max((number for label, number in counted if label not in hidden), default=1)
    return tuple(
        Bar(names.get(label, label), None, 0.0, None)
        if label in hidden
        else Bar(names.get(label, label), number, number / longest, None if of.is_hidden else 100 * number / of.number)
        for label, number in counted
    )


def _whom(asked: _Asked) -> tuple[_Whole, _Whole, _Whole]:
    """Everybody; and the living and the dead with myositis in the chart."""
    ((patients, living, dead),) = asked.rows(
        f"SELECT count(*), count(*) FILTER ({LIVING}), count(*) FILTER ({CONFIRMED} AND deceased) FROM patients"
    )
    apart = {"dead": dead} if dead >= asked.least else {}  # a few dead are hidden well enough among the others
    parts = {"living": living, **apart, "others": patients - living - sum(apart.values())}
    hidden = withheld(parts, asked.least)
    beside = sum(parts[name] for name in hidden - {"living"})
    return (
        asked.alone(patients),
        _Whole(living, "living" in hidden, beside),
        _Whole(dead, "dead" in hidden or 0 < dead < asked.least),
    )


def _of_the_disease(asked: _Asked, living: _Whole) -> tuple[Chart, ...]:
    titles = asked.known.definitions.phenotypes["titles"]
    counted = f"count(*) FROM patients WHERE {LIVING} GROUP BY 1"
    apart = f"WHEN {IBM} THEN 'inclusion body myositis'"
    return (
        asked.parts("Phenotype", f"SELECT phenotype, {counted}", titles, of=living, note="The primary one, where several hold."),
        asked.parts(
            "Severity",
            f"SELECT CASE {apart} ELSE severity END, {counted}",
            of=living,
            note="Inclusion body myositis stands apart. Unknown is not non-severe, and need not mean that data are missing: both "
            "definitions speak of weakness, so that neither fits full strength; else the weakness was not graded in the last "
            f"{asked.known.definitions.treatment['activity_window_months']} months, or stands on the problem list without a "
            "grade or from before that time.",
        ),
        asked.parts(
            "Lines of systemic treatment so far",
            f"""SELECT CASE {apart} WHEN line IS NULL THEN 'not known' WHEN line = 0 THEN '0: none' WHEN line = 3 THEN '3 or more'
                ELSE line::VARCHAR END, {counted}""",
            of=living,
            note="Inclusion body myositis stands apart. Counted from the drugs on record: those used up, and one being "
            "tried; no guideline's first, second or third line. Not known where medications were not sent.",
            by_size=False,
        ),
        asked.parts(
            "Treatment and the problem list",
            f"SELECT CASE {apart} {_when(_PHASES)} ELSE 'not known: medications were not sent' END, {counted}",
            of=living,
            note="Inclusion body myositis stands apart. From the drugs on record and what the problem list says of the "
            "diagnosis; not how active the disease is, nor that a drug is being taken now.",
        ),
        asked.parts(
            "Myositis antibodies",
            f"""SELECT CASE WHEN antibodies IS NULL THEN 'not known: results were not sent'
                WHEN antibodies = 0 THEN 'no result on record' WHEN positive <> '' THEN 'positive for at least one'
                WHEN borderline <> '' THEN 'borderline only: to be confirmed' WHEN antibodies < {_panel(asked)}
                THEN 'none positive, some not tested' ELSE 'none positive of all that are known here' END, {counted}""",
            of=living,
            note=f"Known here are {_panel(asked)} myositis antibodies; the table of patients says how many have a result.",
        ),
    )


def _panel(asked: _Asked) -> int:
    return len(asked.known.definitions.antibodies)


_PHASES = {
    "untreated": "no systemic treatment on record",
    "induction": "treated, not in remission on the problem list",
    "maintenance": "treated, in remission on the problem list",
}


def _when(names: Mapping[str, str]) -> str:
    """The arms of a CASE, by phase."""
    return " ".join(f"WHEN phase = '{name}' THEN '{title}'" for name, title in names.items())


_BY_STATE = f"""
    WITH each AS (
        SELECT patient, any_value(site) AS site,
            CASE WHEN bool_or(outcome = 'holds' AND due_state = 'overdue' AND NOT assumed) THEN '{OVERDUE}'
                WHEN bool_or(outcome = 'holds' AND NOT assumed AND (orders <> '' OR coalesce(due_state = 'due', false)))
                    THEN '{DUE}'
                WHEN bool_or(outcome = 'unknown' OR assumed OR (outcome = 'holds' AND orders = '' AND missing <> ''))
                    THEN '{CANNOT_TELL}'
                WHEN bool_or(outcome = 'holds') THEN '{NOT_OFFERED}'
                WHEN bool_or(outcome = 'ended') THEN '{NOT_REPEATED}' ELSE '{UP_TO_DATE}' END AS state
        FROM recommendations WHERE list_contains($1, recommendation) GROUP BY patient)
    SELECT coalesce(each.site, '{NO_SITE}'), state, count(*) FROM each JOIN patients USING (patient)
    WHERE {LIVING} GROUP BY 1, 2"""


def _due_by_site(asked: _Asked, topic: str) -> Table:
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
    return Table(asked.known.topics[topic].display, states, _rows_of_sites(by_site, asked.least), note)


def _rows_of_sites(by_site: Mapping[str, Mapping[str, int]], least: int) -> tuple[Row, ...]:
    """A row for each site, the largest first, and below them their sums.

    The sums are cells like others: with the sites above they make up a table whose sums of rows and of columns are known, which
    is what `withheld_in_table` protects; so that neither can be had from the other.
    """
    totals = {site: sum(numbers.values()) for site, numbers in by_site.items()}
    order = sorted(totals, key=lambda one: (-totals[one], one))
    hidden_sites = withheld(totals, least)
    counted = by_site
    if len(by_site) > 1:
        sums = {column: sum(numbers[column] for numbers in by_site.values()) for column in by_site[order[0]]}
        counted = {_ALL_SITES: sums, **by_site}  # first, so that a sum that is withheld anyway spares a cell of a site
        order.append(_ALL_SITES)
        hidden_sites |= {_ALL_SITES} if sum(totals.values()) < least else frozenset()
    hidden = withheld_in_table(counted, least, hidden_sites)
    return tuple(
        _row(
            site or "all sites",
            counted[site],
            {column for row, column in hidden if row == site},
            is_hidden=site in hidden_sites,
        )
        for site in order
    )


_BY_TEST = f"""
    WITH open AS (
        SELECT patient, unnest(string_split(orders, ' ')) AS test FROM recommendations
        WHERE outcome = 'holds' AND NOT assumed AND orders <> '' AND list_contains($1, recommendation)
        UNION ALL SELECT patient, 'repeat ' || recommendation FROM recommendations
        WHERE outcome = 'holds' AND NOT assumed AND due_state IN ('due', 'overdue') AND list_contains($1, recommendation))
    SELECT test, count(DISTINCT patient) FROM open JOIN patients USING (patient) WHERE {LIVING} GROUP BY 1 ORDER BY 2 DESC, 1"""


def _due_by_test(asked: _Asked, topic: str, living: _Whole) -> Chart:
    rules = [rule for rule in asked.known.rules if rule.topic == topic]
    repeats = {f"repeat {rule.id}": f"repeat of {rule.schedule.title} ({rule.id})" for rule in rules if rule.schedule}
    titles = {key: str(order["title"]) for key, order in asked.known.orders.items()} | repeats
    note = "All living patients with myositis; counted is for whom of them it is due or overdue. A patient may count in several."
    title = f"{asked.known.topics[topic].display}: what is due"
    return asked.each(title, _BY_TEST, titles, living, note, [rule.id for rule in rules])


_BASIC_PANEL = "imacs-2023-basic-panel"
"""Blood tests and a chest X-ray, which IMACS 2023 asks of everybody: no tumour screen by imaging or endoscopy."""

_FIRST_SCREEN, _REPEATS = "titulaer-2011-dm-ct-thorax-abdomen", "titulaer-2011-dm-every-6-months-4-years"

_SCREEN = f"""
    WITH due AS (
        SELECT patient, bool_and(recommendation = '{_BASIC_PANEL}') AS is_basic FROM recommendations
        WHERE outcome = 'holds' AND NOT assumed AND topic = 'tumourScreening'
            AND (orders <> '' OR coalesce(due_state IN ('due', 'overdue'), false)) GROUP BY patient)"""


def _tumours(asked: _Asked) -> Iterator[Chart]:
    """How the tumour screening that is due divides.

    What these charts say is true of the statements of two guidelines: without them, or with others of a site in their place,
    there is no chart.
    """
    known = asked.known
    rules = {rule.id: rule for rule in known.rules if rule.id not in known.of_site}
    panel, first, repeats = (rules.get(name) for name in (_BASIC_PANEL, _FIRST_SCREEN, _REPEATS))
    within = min(_years_at_most(panel.trigger, known), default=None) if panel else None
    months = repeats.schedule.ends_after_months if repeats and repeats.schedule else None
    if first and within and months and within < months // 12:
        yield _tumours_by_time(asked, within, months // 12)
    if first:
        yield _tumours_by_malignancy(asked)


def _years_at_most(condition: Any, known: Knowledge) -> Iterator[int]:
    """Every limit that a condition sets to the years since onset, in the populations that it names too."""
    if isinstance(condition, list):
        for one in condition:
            yield from _years_at_most(one, known)
    elif isinstance(condition, Mapping):
        for word, value in condition.items():
            if word == "population":
                yield from _years_at_most(known.populations[value], known)
            elif word == "disease_years" and "at_most" in value:
                yield value["at_most"]
            elif word != "not":
                yield from _years_at_most(value, known)


def _tumours_by_time(asked: _Asked, within: int, repeated: int) -> Chart:
    query = f"""{_SCREEN}
        SELECT CASE WHEN is_basic THEN 'basic panel of IMACS 2023 alone' WHEN years_since_onset IS NULL THEN 'onset not known'
            WHEN years_since_onset < {within} THEN 'under {within} years'
            WHEN years_since_onset < {repeated} THEN '{within} to under {repeated} years'
            ELSE '{repeated} years or more' END, count(*) FROM due JOIN patients USING (patient) WHERE {LIVING} GROUP BY 1"""
    note = (
        "Living patients with myositis for whom something of the tumour screen is due or overdue, by the time since the disease "
        f"began. IMACS 2023 speaks of the first {within} years; Titulaer 2011 repeats its screen for {repeated} and sets the "
        "first no end."
    )
    return asked.parts("Tumour screening due, by time since onset", query, note=note)


def _tumours_by_malignancy(asked: _Asked) -> Chart:
    query = f"""{_SCREEN}
        SELECT CASE active_malignancy WHEN 'yes' THEN 'active malignancy on record' WHEN 'no' THEN 'ruled out by the chart'
            ELSE 'none on record, nor ruled out' END, count(*) FROM due JOIN patients USING (patient) WHERE {LIVING} GROUP BY 1"""
    note = (
        "Living patients with myositis for whom something of the tumour screen is due or overdue. Titulaer 2011 exempts nobody "
        "with a malignancy from the first screen."
    )
    return asked.parts("Tumour screening due, by known malignancy", query, note=note)


def _row(label: str, counted: Mapping[str, int], hidden: Collection[str], detail: str = "", *, is_hidden: bool = False) -> Row:
    """A row that makes up a whole, with the parts that are withheld; or withheld all."""
    if is_hidden:
        return Row(label, None, (None,) * len(counted), (), detail)
    of = sum(counted.values())
    cells = tuple(None if name in hidden else number for name, number in counted.items())
    return Row(label, of, cells, tuple((number or 0) / of for number in cells), detail)


def _sent(by_site: Mapping[str, Mapping[str, int]], least: int) -> Table:
    """What each site sends of how many: neither these nor those of whom it does not may be too few, in a row or in a column."""
    columns = tuple(sorted(EXPECTED))
    totals = {site: sent["Patient"] for site, sent in by_site.items()}
    numbers = {site: {kind: sent.get(kind, 0) for kind in columns} for site, sent in by_site.items()}
    hidden_sites = withheld(totals, least)
    hidden = {
        kind: hidden_sites
        | withheld({site: numbers[site][kind] for site in totals}, least)
        | withheld({site: totals[site] - numbers[site][kind] for site in totals}, least)
        for kind in columns
    }
    rows = []
    for site in sorted(totals, key=lambda one: (-totals[one], one)):
        cells = tuple(None if site in hidden[kind] else numbers[site][kind] for kind in columns)
        of = None if site in hidden_sites else totals[site]
        rows.append(Row(site, of, cells, tuple((number or 0) / (of or 1) for number in cells)))
    note = (
        "Patients of Bulk Data of whom there is at least one resource of the type. One patient is enough for a type to count as "
        "sent by a site: of all others there what is not in their charts then counts as not done. Where it is a small share, ask "
        "the site whether it sends the type of everybody; if not, run again with --incomplete."
    )
    return Table("What the sites send", columns, tuple(rows), note)


_BY_STATEMENT = f"""
    SELECT recommendation, count(*) FILTER (outcome = 'holds' AND NOT assumed) AS holds,
        count(*) FILTER (outcome = 'unknown' OR assumed),
        count(*) FILTER (outcome = 'ended'), count(*) FILTER (outcome = 'satisfied')
    FROM recommendations JOIN patients USING (patient)
    WHERE {LIVING} AND kind = 'computed' AND list_contains($1, recommendation)
    GROUP BY 1 HAVING holds > 0 ORDER BY holds DESC, 1 LIMIT {_MOST_ROWS}"""


def _statements(asked: _Asked) -> Table:
    note = (
        "Holds: it applies, and the data that would show it done were sent and do not. Cannot be told: a datum is missing, or "
        "the data that would show it done were not sent. Ended: no repeat is on record before its calendar ended. "
        "Satisfied: done, ordered or not yet due. Advice on treatments is left out: there the words mean something else."
    )
    rules = [rule for rule in asked.known.rules if not _is_of_treatment(rule)]
    return _by_statement(asked, "Statements that hold most often", rules, _OUTCOMES, note)


def _treatments(asked: _Asked) -> Table:
    note = (
        "Applies: the patient is one of those for whom the source names the treatment. Some take it already, and some had it "
        "before: how many apply is not how many are without treatment. Cannot be told: a datum is missing. Whether a treatment "
        "suits a patient is in no table. Advice against a treatment is left out."
    )
    rules = [rule for rule in asked.known.rules if _is_of_treatment(rule)]
    return _by_statement(asked, "Treatment statements that apply", rules, ("applies", *_OUTCOMES[1:]), note)


def _is_of_treatment(rule: Rule) -> bool:
    """Whether it says who may have a treatment, which stays true of those who take it."""
    return rule.topic == _THERAPY or bool(rule.offers)


def _by_statement(asked: _Asked, title: str, rules: Iterable[Rule], outcomes: Sequence[str], note: str) -> Table:
    """A row for each statement that holds for most, without what none of them came to."""
    says = {rule.id: rule.says for rule in rules if rule.is_computed}
    found = {
        name: dict(zip(outcomes, map(int, numbers), strict=True)) for name, *numbers in asked.rows(_BY_STATEMENT, list(says))
    }
    columns = tuple(outcome for outcome in outcomes if any(counted[outcome] for counted in found.values()))
    rows = []
    for name, numbers in found.items():
        counted = {column: numbers[column] for column in columns}
        is_hidden = sum(counted.values()) < asked.least
        rows.append(_row(name, counted, withheld(counted, asked.least), says[name], is_hidden=is_hidden))
    return Table(title, columns, tuple(rows), note)


def _disputes(asked: _Asked, living: _Whole) -> Chart:
    query = f"""WITH told AS (
            SELECT patient, unnest(string_split(conflicts, ' ')) AS dispute FROM recommendations
            WHERE outcome = 'holds' AND NOT assumed AND kind IN ('computed', 'avoid') AND conflicts <> '')
        SELECT dispute, count(DISTINCT patient) FROM told JOIN patients USING (patient) WHERE {LIVING}
        GROUP BY 1 ORDER BY 2 DESC, 1"""
    titles = {code: f"{code}: {dispute.contradiction.title}" for code, dispute in asked.known.disputes.items()}
    note = (
        "Living patients with myositis to whom a statement applies, and is not met, that other guidelines dispute: the "
        "guidelines disagree, not those who care for the patients. Statements that are not computed are left out. "
        "A patient may count in several."
    )
    return asked.each("Patients concerned by a disagreement of guidelines", query, titles, living, note)


def _quality(asked: _Asked, everybody: _Whole) -> tuple[Chart, ...]:
    lacking = """SELECT what, number FROM (
        SELECT 'no age' AS what, count(*) FILTER (age IS NULL) AS number FROM patients UNION ALL
        SELECT 'no sex', count(*) FILTER (sex IS NULL) FROM patients UNION ALL
        SELECT 'no site', count(*) FILTER (site IS NULL) FROM patients UNION ALL
        SELECT 'something in the chart could not be used', count(*) FILTER (issues > 0) FROM patients UNION ALL
        SELECT 'data of another patient in the chart: not evaluated', count(*) FILTER (refused) FROM patients)
        WHERE number > 0 ORDER BY number DESC"""
    troubles = f"""SELECT problem, count(DISTINCT patient) FROM issues GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {_MOST_ROWS}"""
    return (
        asked.each("What charts lack", lacking, {}, everybody, "Of all patients."),
        asked.each("What could not be used", troubles, {}, everybody, "Of all patients; the table `issues` names each resource."),
    )

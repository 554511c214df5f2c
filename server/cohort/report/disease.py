"""Charts of the disease and of its treatment."""

from collections.abc import Mapping

from server.cohort.report.counting import Asked
from server.cohort.report.shapes import Chart
from server.cohort.report.whole import Whole
from server.cohort.report.whom import LIVING

_IBM = "list_contains(string_split(phenotypes, ' '), 'inclusion-body-myositis')"
"""Who needs no immunosuppression, so that none of it is no lack of treatment."""

_PHASES = {
    "untreated": "no systemic treatment on record",
    "induction": "treated, not in remission on the problem list",
    "maintenance": "treated, in remission on the problem list",
}


def of_the_disease(asked: Asked, living: Whole) -> tuple[Chart, ...]:
    """Of the living with myositis: what they have, how severe it is, and how it has been treated.

    Args:
        asked: the tables.
        living: with myositis in the chart.
    """
    titles = asked.known.definitions.phenotypes["titles"]
    counted = f"count(*) FROM patients WHERE {LIVING} GROUP BY 1"
    apart = f"WHEN {_IBM} THEN 'inclusion body myositis'"
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


def _panel(asked: Asked) -> int:
    return len(asked.known.definitions.antibodies)


def _when(names: Mapping[str, str]) -> str:
    """The arms of a CASE, by phase."""
    return " ".join(f"WHEN phase = '{name}' THEN '{title}'" for name, title in names.items())

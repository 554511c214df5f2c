"""How the tumour screening that is due divides."""

from collections.abc import Iterator, Mapping
from typing import Any

from cards.knowledge import Knowledge
from server.cohort.report.counting import Asked
from server.cohort.report.shapes import Chart
from server.cohort.report.whole import Whole
from server.cohort.report.whom import LIVING

_BASIC_PANEL = "imacs-2023-basic-panel"
"""Blood tests and a chest X-ray, which IMACS 2023 asks of everybody: no tumour screen by imaging or endoscopy."""

_FIRST_SCREEN, _REPEATS = "titulaer-2011-dm-ct-thorax-abdomen", "titulaer-2011-dm-every-6-months-4-years"

_SCREEN = f"""
    WITH due AS (
        SELECT patient, bool_and(recommendation = '{_BASIC_PANEL}') AS is_basic FROM recommendations
        WHERE outcome = 'holds' AND NOT assumed AND topic = 'tumourScreening'
            AND (orders <> '' OR coalesce(due_state IN ('due', 'overdue'), false)) GROUP BY patient)"""


def tumours(asked: Asked, living: Whole) -> Iterator[Chart]:
    """How the tumour screening that is due divides.

    What these charts say is true of the statements of two guidelines: without them, or with others of a site in their place,
    there is no chart.

    Args:
        asked: the tables.
        living: with myositis in the chart.
    """
    known = asked.known
    rules = {name: rule for name, rule in known.rule_of.items() if name not in known.of_site}
    panel, first, repeats = (rules.get(name) for name in (_BASIC_PANEL, _FIRST_SCREEN, _REPEATS))
    within = min(_years_at_most(panel.trigger, known), default=None) if panel else None
    months = repeats.schedule.ends_after_months if repeats and repeats.schedule else None
    if first and within and months and within < months // 12:
        yield _tumours_by_time(asked, living, within, months // 12)
    if first:
        yield _tumours_by_malignancy(asked, living)


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


def _tumours_by_time(asked: Asked, living: Whole, within: int, repeated: int) -> Chart:
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
    return asked.parts("Tumour screening due, by time since onset", query, of=living, note=note)


def _tumours_by_malignancy(asked: Asked, living: Whole) -> Chart:
    query = f"""{_SCREEN}
        SELECT CASE active_malignancy WHEN 'yes' THEN 'active malignancy on record' WHEN 'no' THEN 'ruled out by the chart'
            ELSE 'none on record, nor ruled out' END, count(*) FROM due JOIN patients USING (patient) WHERE {LIVING} GROUP BY 1"""
    note = (
        "Living patients with myositis for whom something of the tumour screen is due or overdue. Titulaer 2011 exempts nobody "
        "with a malignancy from the first screen."
    )
    return asked.parts("Tumour screening due, by known malignancy", query, of=living, note=note)

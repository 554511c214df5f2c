"""How good the data are: what the sites send, what charts lack, and what could not be used."""

from collections.abc import Mapping

from server.cohort.report.counting import MOST_ROWS, Asked
from server.cohort.report.shapes import Chart, Row, Table
from server.cohort.report.whole import Whole
from server.cohort.report.withholding import place, withheld
from server.cohort.survey import EXPECTED


def sent(by_site: Mapping[str, Mapping[str, int]], least: int) -> Table:
    """What each site sends of how many: neither these nor those of whom it does not may be too few, in a row or in a column.

    Args:
        by_site: patients by site and type of resource.
        least: fewest patients that a number may be about.
    """
    columns = tuple(sorted(EXPECTED))
    totals = {site: kinds["Patient"] for site, kinds in by_site.items()}
    numbers = {site: {kind: kinds.get(kind, 0) for kind in columns} for site, kinds in by_site.items()}
    hidden_sites = withheld(totals, least)
    hidden = {
        kind: hidden_sites
        | withheld({site: numbers[site][kind] for site in totals}, least)
        | withheld({site: totals[site] - numbers[site][kind] for site in totals}, least)
        for kind in columns
    }
    rows = []
    for site in sorted(totals, key=lambda one: place(None if one in hidden_sites else totals[one], one)):
        cells = tuple(None if site in hidden[kind] else numbers[site][kind] for kind in columns)
        of = None if site in hidden_sites else totals[site]
        rows.append(Row(site, of, cells, tuple((number or 0) / (of or 1) for number in cells)))
    note = (
        "Patients of Bulk Data of whom there is at least one resource of the type. One patient is enough for a type to count as "
        "sent by a site: of all others there what is not in their charts then counts as not done. Where it is a small share, ask "
        "the site whether it sends the type of everybody; if not, run again with --incomplete."
    )
    return Table("What the sites send", columns, tuple(rows), note)


def quality(asked: Asked, everybody: Whole) -> tuple[Chart, ...]:
    """What charts lack, and what in them could not be used.

    Args:
        asked: the tables.
        everybody: of the run.
    """
    lacking = """SELECT what, number FROM (
        SELECT 'no age' AS what, count(*) FILTER (age IS NULL) AS number FROM patients UNION ALL
        SELECT 'no sex', count(*) FILTER (sex IS NULL) FROM patients UNION ALL
        SELECT 'no site', count(*) FILTER (site IS NULL) FROM patients UNION ALL
        SELECT 'something in the chart could not be used', count(*) FILTER (issues > 0) FROM patients UNION ALL
        SELECT 'data of another patient in the chart: not evaluated', count(*) FILTER (refused) FROM patients)
        WHERE number > 0"""
    troubles = f"""SELECT problem, count(DISTINCT patient) FROM issues GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {MOST_ROWS}"""
    return (
        asked.each("What charts lack", lacking, {}, everybody, "Of all patients."),
        asked.each("What could not be used", troubles, {}, everybody, "Of all patients; the table `issues` names each resource."),
    )

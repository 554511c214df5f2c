"""What a report is made of: charts of bars, tables of rows. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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
        resources, passed_over: how many were read, and were not, by type: of resources, and not of patients.
        lines, files: that were read. None where these and those tell how many patients there are, and that is withheld.
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
    lines: int | None
    files: int | None
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

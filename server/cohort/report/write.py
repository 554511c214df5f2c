"""The report as one file: its style, and no script, is in it; nothing is loaded from anywhere."""

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from cards.knowledge import Knowledge
from server.cohort.files import write_whole
from server.cohort.report.figures import figures


def write_report(out: Path, known: Knowledge, least: int, work: Path) -> Path:
    """Write `report.html` beside the tables of a run.

    Args:
        out: folder of the results.
        known: the knowledge of the run, for names.
        least: fewest patients that a number may be about.
        work: folder for what does not fit into memory.

    Returns:
        Where it is.
    """
    made = Environment(
        loader=PackageLoader("server.cohort.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["number"] = lambda number: "withheld" if number is None else f"{number:,}"
    page = out / "report.html"
    write_whole(page, made.get_template("cohort/report.html").render(report=figures(out, known, least, work)).encode())
    return page

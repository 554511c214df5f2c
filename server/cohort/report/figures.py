"""The numbers of a report, out of the tables of a run."""

from collections.abc import Mapping
from pathlib import Path

import orjson

from cards.knowledge import Knowledge
from server.cohort.report.counting import Asked
from server.cohort.report.data_quality import quality, sent
from server.cohort.report.disease import of_the_disease
from server.cohort.report.due import due_by_site, due_by_test
from server.cohort.report.shapes import Report
from server.cohort.report.statements import disputes, statements, treatments
from server.cohort.report.tumours import tumours
from server.cohort.report.whole import Whole
from server.cohort.report.whom import wholes
from server.cohort.tables import duckdb, in_enough_memory

_TOPICS = ("lungFunction", "tumourScreening", "diagnosticWorkup")


def figures(out: Path, known: Knowledge, least: int, work: Path) -> Report:
    """Count.

    Args:
        out: folder of the results.
        known: the knowledge of the run, for names.
        least: fewest patients that a number may be about.
        work: folder for what does not fit into memory.
    """
    return in_enough_memory(lambda memory: _counted(out, known, least, work, memory))


def _counted(out: Path, known: Knowledge, least: int, work: Path, memory: str) -> Report:
    with duckdb(work, memory=memory) as database:
        for name in ("patients", "recommendations", "issues"):
            source = str(out / f"{name}.parquet").replace("'", "''")
            database.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{source}')")
        asked = Asked(database, known, least)
        everybody, living, dead = wholes(asked)
        account = orjson.loads((out / "run.json").read_bytes())
        return Report(
            account=account,
            resources=_told(account["resources"], everybody),
            passed_over=_told(account["resourcesPassedOver"], everybody),
            lines=None if everybody.is_hidden else account["lines"],
            files=None if everybody.is_hidden else account["files"],
            patients=everybody.shown,
            confirmed=living.shown,
            dead=dead.shown,
            charts=of_the_disease(asked, living),
            due=tuple(due_by_site(asked, topic, living) for topic in _TOPICS),
            tests=(*(due_by_test(asked, topic, living) for topic in _TOPICS), *tumours(asked, living)),
            statements=statements(asked, living),
            treatments=treatments(asked, living),
            disputes=disputes(asked, living),
            sent=sent(account["patientsByKind"], least),
            quality=quality(asked, everybody),
            least=least,
        )


def _told(counted: Mapping[str, int], everybody: Whole) -> Mapping[str, int | None]:
    """Counts of resources: none is one of patients, but together they would tell how many there are, where that is withheld."""
    return dict.fromkeys(counted) if everybody.is_hidden else counted

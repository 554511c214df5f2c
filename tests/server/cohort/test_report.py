"""The report: one file, with numbers and without patients."""

import re
from pathlib import Path
from typing import Any

import orjson
import pytest

from server.basis import packaged_basis
from server.cohort.report.figures import figures
from server.cohort.report.write import write_report
from tests.server.charts import chart, resources, slugs
from tests.server.cohort.registries import as_bulk_data, ran
from tests.server.cohort.test_run import renamed


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run over two of each patient."""
    folder = tmp_path_factory.mktemp("report")
    bundles = [renamed(chart(slug), f"-{copy}") for copy in range(2) for slug in slugs()]
    ran(as_bulk_data(folder / "in", bundles), folder / "out")
    return folder / "out"


def written(out: Path, least: int = 5) -> str:
    return write_report(out, packaged_basis().knowledge, least, out).read_text("utf-8")


def test_it_counts_everybody(finished: Path) -> None:
    assert f"<dt>patients</dt><dd>{2 * len(slugs()):,}</dd>" in written(finished)


def test_it_loads_nothing_from_anywhere_and_runs_no_script(finished: Path) -> None:
    page = written(finished)
    assert re.findall(r"(?:src|href)=|url\(|@import", page) == []
    assert "<script" not in page
    assert "default-src 'none'" in page


@pytest.mark.requirement("LOG-01")
def test_no_patient_is_in_it(finished: Path) -> None:
    page = written(finished)
    for slug in slugs():
        for resource in resources(chart(slug)):
            if resource["resourceType"] == "Patient":
                assert resource["id"] not in page
                for name in resource.get("name", ()):
                    assert name.get("family", "?!") not in page


def test_small_numbers_are_withheld(finished: Path) -> None:
    page = written(finished, least=1000)
    assert "withheld" in page
    numbers = re.findall(r">\s*([1-9][\d,]*)\s*(?:</td>|</dd>|patients)", page)
    assert [number for number in numbers if int(number.replace(",", "")) < 1000] == []


def test_lines_and_resources_are_no_patients_and_are_counted_as_they_are(finished: Path) -> None:
    account = orjson.loads((finished / "run.json").read_bytes())
    assert min(account["resources"].values()) < 5
    report = figures(finished, packaged_basis().knowledge, 5, finished)
    assert (report.resources, report.lines, report.files) == (account["resources"], account["lines"], account["files"])
    assert "Counts of resources, not of patients" in written(finished)


def test_where_the_number_of_patients_is_withheld_no_count_of_lines_or_resources_tells_it(finished: Path) -> None:
    report = figures(finished, packaged_basis().knowledge, 1000, finished)
    assert report.patients is None
    assert {report.lines, report.files, *report.resources.values(), *report.passed_over.values()} == {None}


def test_a_cohort_of_nobody_with_myositis_gives_a_report_too(tmp_path: Path) -> None:
    ran(as_bulk_data(tmp_path / "in", [chart("healthy")]), tmp_path / "out")
    assert "Nobody." in written(tmp_path / "out", least=1)


def test_hostile_names_of_sites_are_text(tmp_path: Path) -> None:
    bundle = chart("classic-dermatomyositis")
    for resource in resources(bundle):
        if resource["resourceType"] == "Patient":
            resource["managingOrganization"] = {"display": "<img src=x onerror=alert(1)>"}
    ran(as_bulk_data(tmp_path / "in", [bundle]), tmp_path / "out")
    page = written(tmp_path / "out", least=1)
    assert "<img" not in page
    assert "&lt;img" in page


def at_a_site(slug: str, site: str, ending: str, *, without: frozenset[str] = frozenset()) -> dict[str, Any]:
    """A chart of another patient, whose record a site manages, without what the site does not send."""
    bundle = renamed(chart(slug), f"-{site}{ending}")
    bundle["entry"] = [entry for entry in bundle["entry"] if entry["resource"]["resourceType"] not in without]
    for resource in resources(bundle):
        if resource["resourceType"] == "Patient":
            resource["managingOrganization"] = {"display": site}
    return bundle


def test_of_each_site_it_says_of_how_many_a_type_is_sent_and_withholds_small_numbers(tmp_path: Path) -> None:
    """A site that sends the procedures of two patients of ten is not one that sends procedures, and only a reader can tell."""
    procedure = {"resourceType": "Procedure", "id": "one", "status": "completed"}
    bundles = []
    for site, with_procedure in (("North", 6), ("South", 12), ("East", 2)):
        for number in range(12):
            bundle = at_a_site("classic-dermatomyositis", site, f"{number}", without=frozenset({"Procedure"}))
            (patient,) = (one["id"] for one in resources(bundle) if one["resourceType"] == "Patient")
            if number < with_procedure:
                done = {**procedure, "id": f"{site}{number}", "subject": {"reference": f"Patient/{patient}"}}
                bundle["entry"].append({"resource": done})
            bundles.append(bundle)
    ran(as_bulk_data(tmp_path / "in", bundles), tmp_path / "out")
    account = orjson.loads((tmp_path / "out" / "run.json").read_bytes())
    assert {site: sent["Procedure"] for site, sent in account["patientsByKind"].items()} == {"North": 6, "South": 12, "East": 2}
    table = figures(tmp_path / "out", packaged_basis().knowledge, 5, tmp_path).sent
    column = table.columns.index("Procedure")
    assert {row.label: row.cells[column] for row in table.rows} == {"North": None, "South": 12, "East": None}
    told = figures(tmp_path / "out", packaged_basis().knowledge, 1, tmp_path).sent
    assert {row.label: (row.of, row.cells[column], row.shares[column]) for row in told.rows} == {
        "North": (12, 6, 0.5),
        "South": (12, 12, 1.0),
        "East": (12, 2, 2 / 12),
    }
    assert "6 (50.0 %)" in written(tmp_path / "out", least=1)

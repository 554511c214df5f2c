"""The report: one file, with numbers and without patients."""

import re
from pathlib import Path

import orjson
import pytest

from server.basis import packaged_basis
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
    return write_report(out, packaged_basis().knowledge, least).read_text("utf-8")


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
    lines = f"{orjson.loads((finished / 'run.json').read_bytes())['lines']:,}"
    assert [number for number in numbers if number != lines and int(number.replace(",", "")) < 1000] == []


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

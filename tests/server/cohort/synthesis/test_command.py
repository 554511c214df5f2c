"""The command writes a folder that a cohort run reads, the same each time, holding no more in memory for more patients."""

import csv
import gzip
import tracemalloc
from itertools import pairwise
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from fhir_profiles.elements import Element
from fhir_profiles.identity import patient_named_by
from server.cohort.inputs import find_inputs
from server.cohort.lines import lines_of
from server.cohort.synthesis.cohort import SyntheticCohort
from server.cohort.synthesis.command import synthesise
from server.cohort.synthesis.write import ABOUT, TRUTH, write_cohort
from tests.server.cohort.synthesis.cohorts import SETTINGS, terminology


def run(out: Path, *arguments: str) -> Result:
    return CliRunner().invoke(
        synthesise, ["--patients", "60", "--seed", "3", "--as-of", "2026-11-22", "--out", str(out), *arguments]
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_same_arguments_write_the_same_files(tmp_path: Path) -> None:
    assert run(tmp_path / "a").exit_code == 0
    assert run(tmp_path / "b").exit_code == 0
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_compressed_files_are_the_same_too_and_say_the_same(tmp_path: Path) -> None:
    for name, arguments in (("plain", ()), ("a", ("--gzip",)), ("b", ("--gzip",))):
        assert run(tmp_path / name, *arguments).exit_code == 0
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    unpacked = {
        name.removesuffix(".gz"): gzip.decompress(content) if name.endswith(".gz") else content
        for name, content in contents(tmp_path / "a").items()
    }
    assert unpacked == contents(tmp_path / "plain")


def test_a_cohort_run_reads_every_line_of_the_folder_and_passes_over_what_is_no_data(tmp_path: Path) -> None:
    result = run(tmp_path / "out")
    inputs = find_inputs(tmp_path / "out")
    assert inputs.passed_over == ()
    lines = [line for task in inputs.tasks for part in task for line in lines_of(part)]
    assert [line.problem for line in lines if line.problem] == []
    owners = {patient_named_by(Element(line.value, line.value["resourceType"], "", [])) for line in lines}
    assert owners - {None} == {f"s{number:06}" for number in range(60)}
    assert f"{len(lines):,} resources" in result.output


def test_the_resources_of_a_patient_do_not_stand_together(tmp_path: Path) -> None:
    run(tmp_path / "out")
    subjects = [
        orjson.loads(line)["subject"]["reference"] for line in (tmp_path / "out" / "Observation.ndjson").read_bytes().splitlines()
    ]
    neighbours = sum(one == other for one, other in pairwise(subjects))
    assert neighbours < len(subjects) / 4


def test_the_truth_has_a_row_for_every_patient(tmp_path: Path) -> None:
    run(tmp_path / "out", "--myositis-share", "1")
    with (tmp_path / "out" / TRUTH).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["patient"] for row in rows] == [f"s{number:06}" for number in range(60)]
    assert all(row["phenotype"] for row in rows)
    assert {row["recognisable"] for row in rows} == {"yes", "no"}


def test_the_folder_says_that_nobody_in_it_exists_and_how_it_was_made(tmp_path: Path) -> None:
    run(tmp_path / "out")
    about = (tmp_path / "out" / ABOUT).read_text("utf-8")
    assert "Nobody in these files exists" in about
    assert "--patients 60 --seed 3 --as-of 2026-11-22 --resources 50 --myositis-share 0.2" in about


def test_the_folder_says_which_share_of_children_was_asked_for(tmp_path: Path) -> None:
    run(tmp_path / "out", "--juvenile-share", "0.3")
    assert "--myositis-share 0.2 --juvenile-share 0.3\n" in (tmp_path / "out" / ABOUT).read_text("utf-8")


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "Patient.ndjson").write_text("")
    result = run(tmp_path)
    assert result.exit_code == 2
    assert result.stderr.endswith("name an empty folder, so that made-up patients never mix with others.\n")
    assert list(tmp_path.iterdir()) == [tmp_path / "Patient.ndjson"]


@pytest.mark.parametrize(
    "arguments",
    [("--as-of", "tomorrow"), ("--patients", "0"), ("--myositis-share", "2"), ("--juvenile-share", "2"), ("--seed", "-1")],
)
def test_arguments_that_cannot_be_used_are_refused(tmp_path: Path, arguments: tuple[str, str]) -> None:
    assert run(tmp_path / "out", *arguments).exit_code == 2


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run(tmp_path / "file" / "out")
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr


def test_more_patients_need_no_more_memory(tmp_path: Path) -> None:
    cohort = SyntheticCohort(SETTINGS, terminology())
    write_cohort(cohort, SETTINGS, 50, tmp_path / "first")  # so that codes have been looked up
    peaks = []
    for patients in (250, 750):
        tracemalloc.start()
        write_cohort(cohort, SETTINGS, patients, tmp_path / str(patients))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.6 + 2**20

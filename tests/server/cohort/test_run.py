"""A run: what it says of a patient is what is said at the bedside, and no kill changes a byte of it."""

import json
import os
import signal
import subprocess
import time
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from cards.outcomes import outcomes_of
from cards.said import said_on
from server.cohort.engines import Processes
from server.cohort.errors import CohortError
from server.cohort.inputs import find_inputs
from server.cohort.plan import begin
from server.cohort.run import run
from server.evaluation import Evaluation, evaluate
from tests.server.charts import AS_OF, chart, resources, slugs
from tests.server.cohort.registries import (
    Silent,
    as_bulk_data,
    as_bundles,
    command,
    environment,
    planned,
    ran,
    results,
    rows,
)

_HOLDS = {"fired": "holds", "satisfied": "satisfied", "unknown": "unknown"}


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a run over Bundles."""
    out = tmp_path_factory.mktemp("bundles")
    ran(as_bundles(out / "in"), out / "out")
    return out / "out"


@pytest.fixture(scope="module")
def bulk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a run over Bulk Data."""
    out = tmp_path_factory.mktemp("bulk")
    ran(as_bulk_data(out / "in"), out / "out")
    return out / "out"


def at_the_bedside(slug: str) -> tuple[str, Evaluation]:
    bundle = chart(slug)
    (patient,) = (one["id"] for one in resources(bundle) if one["resourceType"] == "Patient")
    return patient, evaluate([bundle], as_of=AS_OF, seed="bedside", patient_id=patient)


@pytest.mark.parametrize("slug", slugs())
def test_a_patient_in_a_bundle_gets_the_answer_of_the_bedside(bundles: Path, slug: str) -> None:
    patient, evaluation = at_the_bedside(slug)
    outcomes = outcomes_of(evaluation.recommendations, evaluation.triggers)
    said = said_on(evaluation.cards)
    found = [row for row in rows(bundles, "recommendations") if row["patient"] == patient]
    assert {row["recommendation"]: (row["outcome"], row["on_card"]) for row in found} == {
        rule: (_HOLDS[outcome], rule in said) for rule, outcome in outcomes.items() if outcome in _HOLDS
    }
    (summary,) = (row for row in rows(bundles, "patients") if row["patient"] == patient)
    assert summary["phenotypes"].split() == [one.code for one in evaluation.assessment.phenotypes]
    assert summary["severity"] == evaluation.assessment.severity.value
    assert (summary["line"], summary["phase"]) == (evaluation.assessment.treatment.line, evaluation.assessment.treatment.phase)
    assert summary["cards"] == len(evaluation.cards)


def test_in_bulk_data_too_every_patient_is_there_with_the_same_disease(bulk: Path, bundles: Path) -> None:
    names = ("patient", "sex", "age", "deceased", "phenotype", "phenotypes", "severity", "positive", "line", "current")
    diseases = [[tuple(row[name] for name in names) for row in rows(out, "patients")] for out in (bulk, bundles)]
    assert diseases[0] == diseases[1]


LUNG_FUNCTION = "sunderkotter-2016-pft-all"


@pytest.mark.requirement("SAF-02")
def test_only_at_a_site_that_sends_procedures_and_reports_is_a_test_without_one_not_done(tmp_path: Path) -> None:
    """A registry of several hospitals may have the tests of one and never those of another."""
    bundle = chart("classic-dermatomyositis")
    bare = [one for one in resources(bundle) if one["resourceType"] in ("Patient", "Condition")]
    bundles = []
    for site in ("north", "south"):
        bundles.append(renamed({"entry": [{"resource": one} for one in bare]}, f"-{site}"))
        for one in resources(bundles[-1]):
            if one["resourceType"] == "Patient":
                one["managingOrganization"] = {"reference": f"Organization/{site}"}
    others = [
        {"resourceType": kind, "id": kind, "status": status, "subject": {"reference": "Patient/somebody"}}
        for kind, status in (("Procedure", "completed"), ("DiagnosticReport", "final"), ("Observation", "final"))
    ]
    somebody = {"resourceType": "Patient", "id": "somebody", "managingOrganization": {"reference": "Organization/north"}}
    ran(
        as_bulk_data(tmp_path / "in", [*bundles, {"entry": [{"resource": one} for one in (somebody, *others)]}]), tmp_path / "out"
    )
    account = orjson.loads((tmp_path / "out" / "run.json").read_bytes())
    assert account["kindsNotSent"] == {"Organization/south": ["DiagnosticReport", "Observation", "Procedure"]}
    found = {row["site"]: row for row in rows(tmp_path / "out", "recommendations") if row["recommendation"] == LUNG_FUNCTION}
    assert found["Organization/north"]["outcome"] == "holds"
    assert found["Organization/south"]["missing"] != ""


def test_processes_and_one_process_write_the_same_bytes(bulk: Path, tmp_path: Path) -> None:
    ran(as_bulk_data(tmp_path / "in"), tmp_path / "out", Processes(2))
    assert without_bad_line_paths(results(tmp_path / "out")) == without_bad_line_paths(results(bulk))


def without_bad_line_paths(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: content for name, content in files.items() if not name.startswith("bad_lines")}


def test_packed_and_plain_files_give_the_same_rows(bulk: Path, tmp_path: Path) -> None:
    ran(as_bulk_data(tmp_path / "in", packed=True), tmp_path / "out")
    for table in ("patients", "recommendations", "issues"):
        assert rows(tmp_path / "out", table) == rows(bulk, table)


class _KilledError(Exception):
    """Stands for SIGKILL: nothing after it is done."""


class _KilledAfter:
    """An engine that is killed after so many tasks."""

    def __init__(self, tasks: int) -> None:
        self._left = tasks

    def run(self, task: Any, numbers: Any) -> Any:
        for number in numbers:
            if not self._left:
                raise _KilledError
            self._left -= 1
            yield task(number)


@pytest.mark.parametrize("tasks", [0, 1, 5, 9, 11, 13])
def test_a_run_that_was_killed_goes_on_and_leaves_the_same_bytes(bulk: Path, tmp_path: Path, tasks: int) -> None:
    place, out = as_bulk_data(tmp_path / "in"), tmp_path / "out"
    with pytest.raises(_KilledError):
        run(planned(place, out), find_inputs(place), _KilledAfter(tasks), Silent())
    assert not list(out.glob("*.parquet"))
    assert ran(place, out).went_on
    assert without_bad_line_paths(results(out)) == without_bad_line_paths(results(bulk))


@pytest.mark.slow
def test_a_process_killed_in_the_middle_goes_on_and_leaves_the_same_bytes(tmp_path: Path) -> None:
    place = as_bulk_data(tmp_path / "in", [renamed(chart(slug), f"-{copy}") for copy in range(3) for slug in slugs()])
    arguments = command("run", place, "--as-of", AS_OF.isoformat(), "--workers", "2", "--out")
    subprocess.run([*arguments, tmp_path / "whole"], check=True, env=environment(), capture_output=True)
    killed = subprocess.Popen(
        [*arguments, tmp_path / "out"], env=environment(), stderr=subprocess.DEVNULL, start_new_session=True
    )
    until = time.monotonic() + 60
    while not list((tmp_path / "out" / "work" / "scattered").glob("*.json")) and time.monotonic() < until:
        time.sleep(0.005)
    os.killpg(killed.pid, signal.SIGKILL)
    assert killed.wait(10) == -signal.SIGKILL
    assert not (tmp_path / "out" / "run.json").exists()
    subprocess.run([*arguments, tmp_path / "out"], check=True, env=environment(), capture_output=True)
    assert results(tmp_path / "out") == results(tmp_path / "whole")


def renamed(bundle: dict[str, Any], ending: str) -> dict[str, Any]:
    """The same chart of another patient."""
    (patient,) = (one["id"] for one in resources(bundle) if one["resourceType"] == "Patient")
    text = json.dumps(bundle).replace(f'"Patient/{patient}"', f'"Patient/{patient}{ending}"')
    renamed: dict[str, Any] = json.loads(text)
    for resource in resources(renamed):
        resource["id"] = f"{resource['id']}{ending}"
    return renamed


def test_a_finished_run_leaves_results_and_no_work(bulk: Path) -> None:
    assert {path.name for path in bulk.iterdir()} == {
        *(
            f"{table}.{ending}"
            for table in ("patients", "recommendations", "issues", "bad_lines")
            for ending in ("parquet", "csv")
        ),
        "run.json",
        "knowledge.json",
    }


@pytest.mark.parametrize(
    ("change", "named"),
    [
        pytest.param({"as_of": date(2026, 1, 1)}, "--as-of", id="another day"),
        pytest.param({"partitions": 7}, "partitions", id="another division"),
    ],
)
def test_the_work_of_another_run_is_not_gone_on_with(tmp_path: Path, change: dict[str, Any], named: str) -> None:
    place = as_bulk_data(tmp_path / "in", [chart("healthy")])
    begin(planned(place, tmp_path / "out"))
    with pytest.raises(CohortError, match=f"unfinished work of another run.*{named}"):
        ran(place, tmp_path / "out", **change)


def test_an_input_that_changed_meanwhile_is_another_one(tmp_path: Path) -> None:
    place = as_bulk_data(tmp_path / "in", [chart("healthy")])
    begin(planned(place, tmp_path / "out"))
    os.utime(place / "Patient.ndjson", ns=(1, 1))
    with pytest.raises(CohortError, match="input"):
        ran(place, tmp_path / "out")


def test_two_runs_into_one_folder_do_not_disturb_each_other(tmp_path: Path) -> None:
    import fcntl

    place, out = as_bulk_data(tmp_path / "in", [chart("healthy")]), tmp_path / "out"
    (out / "work").mkdir(parents=True)
    with (out / "work" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(CohortError, match="another run is at work"):
            ran(place, out)


# --- what is wrong with the data ------------------------------------------------------------------------------------------


def test_bad_lines_are_named_by_file_and_line_and_cost_no_other(tmp_path: Path) -> None:
    place = as_bulk_data(tmp_path / "in", [chart("classic-dermatomyositis")])
    file = place / "Observation.ndjson"
    good = file.read_text("utf-8").splitlines()
    file.write_text("\n".join(["", "no json", *good, '{"resourceType": "Observation"}', good[0][:-20]]), "utf-8")
    ran(place, tmp_path / "out", task_bytes=1500)
    found = rows(tmp_path / "out", "bad_lines")
    assert [(Path(row["file"]).name, row["line"]) for row in found] == [
        ("Observation.ndjson", number) for number in (2, len(good) + 3, len(good) + 4)
    ]
    assert orjson.loads((tmp_path / "out" / "run.json").read_bytes())["badLines"] == 3
    assert len(rows(tmp_path / "out", "patients")) == 1


@pytest.mark.requirement("SAF-02")
def test_nothing_counts_as_not_done_that_may_be_on_a_line_that_cannot_be_read(tmp_path: Path) -> None:
    bundle = chart("classic-dermatomyositis")
    kinds = {one["resourceType"] for one in resources(bundle)}
    outs = []
    for name, spoilt in (("whole", False), ("spoilt", True)):
        place = as_bulk_data(tmp_path / name, [bundle])
        if spoilt:
            for kind in kinds - {"Patient", "Condition"}:
                file = place / f"{kind}.ndjson"
                line = file.read_text("utf-8").splitlines()[0]
                file.write_text(file.read_text("utf-8") + line[: line.rindex("}")].rstrip("}") + "\n", "utf-8")
        ran(place, tmp_path / f"{name}-out")
        outs.append({row["recommendation"]: row["outcome"] for row in rows(tmp_path / f"{name}-out", "recommendations")})
    whole, spoilt = outs
    newly_due = {name for name, outcome in spoilt.items() if outcome == "holds" and whole.get(name) != "holds"}
    assert newly_due == set()


@pytest.mark.requirement("SAF-01")
def test_a_chart_with_another_patients_data_is_not_evaluated_and_counted(tmp_path: Path) -> None:
    bundle = chart("classic-dermatomyositis")
    place = as_bulk_data(tmp_path / "in", [bundle])
    stranger = {"resourceType": "Observation", "id": "s", "status": "final", "subject": {"reference": "Patient/1x"}}
    (patient,) = (one["id"] for one in resources(bundle) if one["resourceType"] == "Patient")
    both = {**stranger, "subject": [{"reference": f"Patient/{patient}"}, {"reference": "Patient/1x"}]}
    with (place / "Observation.ndjson").open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(both) + "\n")
    ran(place, tmp_path / "out")
    (row,) = rows(tmp_path / "out", "patients")
    assert (row["refused"], row["cards"]) == (True, 0)
    assert rows(tmp_path / "out", "recommendations") == []


def test_drugs_that_orders_only_name_are_found_among_the_medications(tmp_path: Path) -> None:
    bundle = chart("inclusion-body-myositis-on-prednisone")
    entries = []
    for resource in resources(bundle):
        if resource["resourceType"] == "MedicationRequest" and "medicationCodeableConcept" in resource:
            drug = {
                "resourceType": "Medication",
                "id": f"drug-{resource['id']}",
                "code": resource.pop("medicationCodeableConcept"),
            }
            resource["medicationReference"] = {"reference": f"Medication/{drug['id']}"}
            entries.append({"resource": drug})
        entries.append({"resource": resource})
    ran(as_bulk_data(tmp_path / "in", [{"entry": entries}]), tmp_path / "out")
    (row,) = rows(tmp_path / "out", "patients")
    assert "glucocorticoid" in row["current"] or "prednis" in row["current"]


def test_a_site_is_called_as_its_organisation_is(tmp_path: Path) -> None:
    bundle = chart("healthy")
    for resource in resources(bundle):
        if resource["resourceType"] == "Patient":
            resource["managingOrganization"] = {"reference": "Organization/north"}
    bundle["entry"].append({"resource": {"resourceType": "Organization", "id": "north", "name": "Hospital of the North"}})
    ran(as_bulk_data(tmp_path / "in", [bundle]), tmp_path / "out")
    assert [row["site"] for row in rows(tmp_path / "out", "patients")] == ["Hospital of the North"]


@pytest.mark.requirement("CSV-01")
def test_no_cell_of_a_csv_is_a_formula(tmp_path: Path) -> None:
    bundle = chart("healthy")
    for resource in resources(bundle):
        if resource["resourceType"] == "Patient":
            resource["managingOrganization"] = {"display": "=HYPERLINK(1)"}
    ran(as_bulk_data(tmp_path / "in", [bundle]), tmp_path / "out")
    text = (tmp_path / "out" / "patients.csv").read_text("utf-8")
    assert ",'=HYPERLINK(1)," in text
    assert rows(tmp_path / "out", "patients")[0]["site"] == "=HYPERLINK(1)"

"""A run: what it says of a patient is what is said at the bedside, and no kill changes a byte of it."""

import gzip
import json
import os
import shutil
import signal
import subprocess
import time
import tracemalloc
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from cards.outcomes import outcomes_of
from cards.said import said_on
from server.cohort.commands import cohort
from server.cohort.engines import Processes
from server.cohort.errors import CohortError
from server.cohort.inputs import find_inputs
from server.cohort.plan import begin, plan_at
from server.cohort.rows import became
from server.cohort.run import _write_bad_lines, run
from server.cohort.scatter import scatter
from server.evaluation import Evaluation, evaluate
from soak.processes import children_of, is_alive
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
    with_calendar = {rule.id for rule in evaluation.knowledge.rules if rule.schedule}
    found = [row for row in rows(bundles, "recommendations") if row["patient"] == patient]
    assert {row["recommendation"]: (row["outcome"], row["on_card"]) for row in found} == {
        rule: (became(outcome, evaluation.calendar.get(rule)), rule in said)
        for rule, outcome in outcomes.items()
        if outcome in _HOLDS and not (rule in with_calendar and rule not in evaluation.calendar and outcome == "satisfied")
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
SENT = (("Procedure", "completed"), ("DiagnosticReport", "final"), ("Observation", "final"), ("ServiceRequest", "active"))
"""Types that could show that it was done, or is ordered."""


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
        for kind, status in SENT
    ]
    somebody = {"resourceType": "Patient", "id": "somebody", "managingOrganization": {"reference": "Organization/north"}}
    ran(
        as_bulk_data(tmp_path / "in", [*bundles, {"entry": [{"resource": one} for one in (somebody, *others)]}]), tmp_path / "out"
    )
    account = orjson.loads((tmp_path / "out" / "run.json").read_bytes())
    south = {"MedicationRequest", *dict(SENT)}
    assert set(account["kindsNotSent"]["Organization/south"]) == south
    assert account["kindsNotSent"]["Organization/north"] == ["MedicationRequest"]
    found = {row["site"]: row for row in rows(tmp_path / "out", "recommendations") if row["recommendation"] == LUNG_FUNCTION}
    assert {site: row["assumed"] for site, row in found.items()} == {"Organization/north": False, "Organization/south": True}
    report = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "Organization/south sends none of this for anybody" in report


def test_nobody_is_called_untreated_whose_medications_were_not_sent(tmp_path: Path) -> None:
    bare = [one for one in resources(chart("classic-dermatomyositis")) if one["resourceType"] in ("Patient", "Condition")]
    ran(as_bulk_data(tmp_path / "in", [{"entry": [{"resource": one} for one in bare]}]), tmp_path / "out")
    (row,) = rows(tmp_path / "out", "patients")
    assert (row["phase"], row["line"], row["antibodies"]) == (None, None, None)


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

    def end(self) -> None:
        pass


@pytest.mark.parametrize("tasks", [0, 1, 5, 9, 11, 13])
def test_a_run_that_was_killed_goes_on_and_leaves_the_same_bytes(bulk: Path, tmp_path: Path, tasks: int) -> None:
    place, out = as_bulk_data(tmp_path / "in"), tmp_path / "out"
    with pytest.raises(_KilledError):
        run(planned(place, out), find_inputs(place), _KilledAfter(tasks), Silent())
    assert not list(out.glob("*.parquet"))
    assert ran(place, out).went_on
    assert without_bad_line_paths(results(out)) == without_bad_line_paths(results(bulk))


@pytest.mark.parametrize("after", [0, 1], ids=["before the pieces are put together", "when they just are"])
def test_a_run_killed_while_pieces_are_put_together_goes_on_and_leaves_the_same_bytes(
    bulk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    place, out = as_bulk_data(tmp_path / "in"), tmp_path / "out"
    plan = planned(place, out)
    with monkeypatch.context() as broken:  # killed when one of the files that are put together is removed, and others are not
        broken.setattr("server.cohort.run.remove_runs", lambda _: next(iter(plan.scattered.glob("*.pieces"))).unlink())
        with pytest.raises(_KilledError):
            run(plan, find_inputs(place), _KilledAfter(len(plan.tasks) + after), Silent())
    assert len(list(plan.collated.glob("*.pieces"))) == after
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
    (mine := tmp_path / "out" / "mine.txt").write_text("of somebody else", "utf-8")
    mine.chmod(0o644)
    subprocess.run([*arguments, tmp_path / "out"], check=True, env=environment(), capture_output=True, umask=0o022)
    assert mine.stat().st_mode & 0o777 == 0o644
    mine.unlink()
    assert results(tmp_path / "out") == results(tmp_path / "whole")
    assert [path.name for path in (tmp_path / "out").iterdir() if path.stat().st_mode & 0o077] == []


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
        "report.html",
    }


def test_what_a_killed_worker_had_half_written_is_in_no_table(bulk: Path, tmp_path: Path) -> None:
    place, out = as_bulk_data(tmp_path / "in"), tmp_path / "out"
    plan = planned(place, out)
    with pytest.raises(_KilledError):
        run(plan, find_inputs(place), _KilledAfter(len(plan.tasks) + plan.partitions + 3), Silent())
    written = next(path for path in sorted((out / "work" / "evaluated").iterdir()) if (path / "patients.ndjson").stat().st_size)
    shutil.copytree(written, out / "work" / "evaluated" / ".000009.abcd")
    ran(place, out)
    assert without_bad_line_paths(results(out)) == without_bad_line_paths(results(bulk))


def test_what_is_left_of_work_that_was_being_removed_is_nobodys_work(bulk: Path, tmp_path: Path) -> None:
    place, out = as_bulk_data(tmp_path / "in"), tmp_path / "out"
    plan = planned(place, out, as_of=date(2026, 1, 1))
    with pytest.raises(_KilledError):
        run(plan, find_inputs(place), _KilledAfter(len(plan.tasks) + plan.partitions + 3), Silent())
    (out / "work" / "plan.json").unlink()
    ran(place, out)
    assert without_bad_line_paths(results(out)) == without_bad_line_paths(results(bulk))


def test_charts_that_a_killed_run_was_removing_are_removed_by_the_next_one(tmp_path: Path) -> None:
    place, out = as_bulk_data(tmp_path / "in", [chart("healthy")]), tmp_path / "out"
    (left := out / ".work-done").mkdir(parents=True)
    (left / "charts").write_text("of a patient", "utf-8")
    with pytest.raises(_KilledError):
        run(planned(place, out), find_inputs(place), _KilledAfter(0), Silent())
    assert not left.exists()


def test_a_task_of_a_run_of_another_release_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned(as_bulk_data(tmp_path / "in", [chart("healthy")]), tmp_path / "out")
    begin(plan)
    monkeypatch.setattr("server.cohort.plan.software_version", lambda: "9.9")
    with pytest.raises(CohortError, match=r"This is myositis-cds 9\.9, and the run began with"):
        plan_at(plan.address)


def test_the_workers_end_with_the_process_that_gives_them_work(tmp_path: Path) -> None:
    place = as_bulk_data(tmp_path / "in", [renamed(chart(slug), f"-{copy}") for copy in range(2) for slug in slugs()])
    killed = subprocess.Popen(
        command("run", place, "--workers", "2", "--out", tmp_path / "out"), env=environment(), stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + 60
    while len(workers := children_of(killed.pid)) < 2 and time.monotonic() < until:  # one, and multiprocessing's own
        time.sleep(0.01)
    assert killed.poll() is None
    killed.kill()
    killed.wait(10)
    while any(map(is_alive, workers)) and time.monotonic() < until:
        time.sleep(0.01)
    assert [worker for worker in workers if is_alive(worker)] == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--incomplete", "Procedures"], "'Procedures' is not"),
        (["--out", "in/results"], "is inside the input"),
        (["--engine", "dask", "--out", "out"], "needs the address of a cluster"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_once(tmp_path: Path, arguments: list[str], says: str) -> None:
    as_bulk_data(tmp_path / "in", [chart("healthy")])
    absolute = [str(tmp_path / one) if "in/" in one or one == "out" else one for one in arguments]
    out = [] if "--out" in arguments else ["--out", str(tmp_path / "out")]
    done = CliRunner().invoke(cohort, ["run", str(tmp_path / "in"), *out, *absolute])
    assert done.exit_code == 2
    assert says in done.output


@pytest.mark.parametrize(
    ("note", "says"),
    [
        ({"wish": {"since": None}, "is_finished": False}, "not fetched to its end"),
        ({"wish": {"since": "2026-01-01T00:00:00Z"}, "is_finished": True}, "changed since a moment"),
    ],
)
def test_a_part_of_an_export_is_no_cohort_unless_that_is_said(tmp_path: Path, note: dict[str, Any], says: str) -> None:
    place = as_bulk_data(tmp_path / "in", [chart("healthy")])
    (place / "export.json").write_text(json.dumps(note), "utf-8")
    arguments = ["run", str(place), "--out", str(tmp_path / "out"), "--workers", "1"]
    refused = CliRunner().invoke(cohort, arguments)
    assert refused.exit_code == 2
    assert says in refused.output
    assert CliRunner().invoke(cohort, [*arguments, "--partial"]).exit_code == 0


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
    out.mkdir()
    held = os.open(out, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with pytest.raises(CohortError, match="another run is at work"):
        ran(place, out)
    os.close(held)
    assert ran(place, out).rows["patients"] == 1


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


def with_bad_lines(folder: Path, number: int) -> Path:
    """A patient, and so many lines that name nobody."""
    place = as_bulk_data(folder, [chart("healthy")])
    (place / "Observation.ndjson").write_text('{"resourceType": "Observation"}\n' * number, "utf-8")
    return place


def test_every_bad_line_is_in_the_table_however_many_there_are(tmp_path: Path) -> None:
    ran(with_bad_lines(tmp_path / "in", 2_000), tmp_path / "out")
    assert [row["line"] for row in rows(tmp_path / "out", "bad_lines")] == list(range(1, 2_001))


def test_ten_times_as_many_bad_lines_need_no_more_memory(tmp_path: Path) -> None:
    peaks = []
    for number in (1, 500, 5_000):  # the first only loads what is needed
        plan = planned(with_bad_lines(tmp_path / f"in-{number}", number), tmp_path / f"out-{number}", task_bytes=2**30)
        begin(plan)
        tracemalloc.start()
        for task in range(len(plan.tasks)):
            scatter(plan, task)
        _write_bad_lines(plan)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < 1.2 * peaks[1]


def with_lung_function(folder: Path, line: str) -> Path:
    """A patient of a site that sends procedures, with this line among them."""
    bare = [one for one in resources(chart("classic-dermatomyositis")) if one["resourceType"] in ("Patient", "Condition")]
    stranger = {"resourceType": "Patient", "id": "stranger"}
    others = [
        {"resourceType": kind, "id": kind, "status": status, "subject": {"reference": "Patient/stranger"}}
        for kind, status in SENT
    ]
    place = as_bulk_data(folder, [{"entry": [{"resource": one} for one in (*bare, stranger, *others)]}])
    with (place / "Procedure.ndjson").open("a", encoding="utf-8") as stream:
        stream.write(f"{line}\n" if line else "")
    return place


def spirometry() -> str:
    """A lung function test of the patient with classic dermatomyositis."""
    (patient,) = (one["id"] for one in resources(chart("classic-dermatomyositis")) if one["resourceType"] == "Patient")
    done = {
        "resourceType": "Procedure",
        "id": "spirometry",
        "status": "completed",
        "subject": {"reference": f"Patient/{patient}"},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "23426006"}]},
        "performedDateTime": "2026-10-01",
    }
    return json.dumps(done)


def said_of_lung_function(out: Path) -> tuple[str, bool]:
    (row,) = (row for row in rows(out, "recommendations") if row["recommendation"] == LUNG_FUNCTION)
    return row["outcome"], row["assumed"]


@pytest.mark.requirement("SAF-02")
def test_nothing_counts_as_not_done_that_may_be_on_a_line_that_cannot_be_read(tmp_path: Path) -> None:
    for name, line in (("none", ""), ("done", spirometry()), ("cut", spirometry()[:-1])):
        ran(with_lung_function(tmp_path / name, line), tmp_path / f"{name}-out")
    assert said_of_lung_function(tmp_path / "none-out") == ("holds", False)
    assert said_of_lung_function(tmp_path / "done-out") == ("satisfied", False)
    outcome, assumed = said_of_lung_function(tmp_path / "cut-out")
    assert outcome == "unknown" or assumed


@pytest.mark.requirement("SAF-02")
def test_nothing_of_a_type_counts_as_not_done_of_which_a_file_is_damaged(tmp_path: Path) -> None:
    place = with_lung_function(tmp_path / "in", "")
    whole = gzip.compress((place / "Procedure.ndjson").read_bytes())
    (place / "Procedure.0002.ndjson.gz").write_bytes(whole[: len(whole) // 2])
    ran(place, tmp_path / "out")
    outcome, assumed = said_of_lung_function(tmp_path / "out")
    assert outcome == "unknown" or assumed
    assert orjson.loads((tmp_path / "out" / "run.json").read_bytes())["kindsIncomplete"] == ["Procedure"]


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

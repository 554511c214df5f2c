"""What changes if: who gains or loses what, and which words of the knowledge that comes from."""

import tempfile
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from stat import S_IMODE
from typing import Any

import orjson
import pytest
import yaml
from click.testing import CliRunner

from cards.layers import PACKAGED
from server.cohort.commands import cohort
from server.cohort.diff import Difference, PatientChange, as_text, compare
from server.cohort.errors import CohortError
from tests.server.charts import AS_OF, chart, resources
from tests.server.cohort.registries import as_bulk_data, as_bundles, ran, rows
from tests.server.cohort.test_run import LUNG_FUNCTION
from tests.site import COLONOSCOPY, OLDER_EVERYWHERE, site_with


def with_a_limit_of_63() -> dict[str, str]:
    """The packaged statement, of which nothing but the age differs; and the one of the review."""
    document = yaml.safe_load((PACKAGED / "guidelines" / "titulaer-2011.yaml").read_text("utf-8"))
    (entry,) = (one for one in document["recommendations"] if one["id"] == COLONOSCOPY)
    text = yaml.safe_dump({"source": document["source"], "recommendations": [entry]}).replace(": 50\n", ": 63\n")
    return {**OLDER_EVERYWHERE, "guidelines__ours": text}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same patients by the packaged knowledge, and by one of a hospital whose age limit for colonoscopy is 63."""
    folder = tmp_path_factory.mktemp("diff")
    place = as_bundles(folder / "in")
    ran(place, folder / "before")
    ran(place, folder / "after", site=site_with(folder / "site", **with_a_limit_of_63()))
    return folder / "before", folder / "after"


@pytest.fixture(scope="module")
def difference(runs: tuple[Path, Path]) -> Difference:
    return compare(*runs, most=2)


@pytest.fixture(scope="module")
def changes(runs: tuple[Path, Path]) -> list[PatientChange]:
    """Every change."""
    kept: list[PatientChange] = []
    compare(*runs, most=0, keep=kept.append)
    return kept


def test_a_changed_threshold_is_named(difference: Difference) -> None:
    changed = [change for change in difference.knowledge if change.entry == f"statement {COLONOSCOPY}"]
    assert {(change.before, change.after) for change in changed if change.place.endswith(".over")} == {("50", "63")}


def test_each_patient_who_loses_the_statement_is_between_the_two_limits(
    changes: list[PatientChange], runs: tuple[Path, Path]
) -> None:
    ages = {row["patient"]: row["age"] for row in rows(runs[0], "patients")}
    losers = [change.patient for change in changes if change.statement == COLONOSCOPY and change.after == "not concerned"]
    assert losers
    assert all(50 <= ages[patient] <= 63 for patient in losers)


def test_what_it_comes_from_stands_with_each_patient(changes: list[PatientChange]) -> None:
    for change in changes:
        if change.statement == COLONOSCOPY:
            assert any(reason.place.endswith(".over") for reason in change.because)


def test_in_words(difference: Difference) -> None:
    text = as_text(difference)
    assert f"{COLONOSCOPY}: " in text
    assert ": 50 became 63" in text
    assert "holds → not concerned" in text


def test_the_same_knowledge_changes_nothing_for_anybody(runs: tuple[Path, Path]) -> None:
    nothing = compare(runs[0], runs[0], most=2)
    assert nothing.statements == ()
    assert "Nothing changes for anybody." in as_text(nothing)


LOCAL = ("https://laboratory.example/codes", "FVC-1")
"""A code of one hospital, that no packaged ValueSet has."""


def with_a_local_lung_function(folder: Path) -> Path:
    """A patient with dermatomyositis whose lung function test has a local code."""
    entries = [one for one in resources(chart("classic-dermatomyositis")) if one["resourceType"] in ("Patient", "Condition")]
    (patient,) = (one["id"] for one in entries if one["resourceType"] == "Patient")
    test = {
        "resourceType": "Procedure",
        "id": "local",
        "status": "completed",
        "subject": {"reference": f"Patient/{patient}"},
        "code": {"coding": [{"system": LOCAL[0], "code": LOCAL[1]}]},
        "performedDateTime": "2026-10-01",
    }
    return as_bulk_data(folder, [{"entry": [{"resource": one} for one in (*entries, test)]}])


def test_a_code_that_now_stands_for_a_test_is_why_the_test_counts_as_done(tmp_path: Path) -> None:
    value_set = {
        "resourceType": "ValueSet",
        "id": "pulmonary-function-test",
        "compose": {"include": [{"system": LOCAL[0], "concept": [{"code": LOCAL[1], "display": "Lung function"}]}]},
    }
    (tmp_path / "site" / "valuesets").mkdir(parents=True)
    (tmp_path / "site" / "valuesets" / "ours.json").write_bytes(orjson.dumps(value_set))
    place = with_a_local_lung_function(tmp_path / "in")
    ran(place, tmp_path / "before")
    ran(place, tmp_path / "after", site=site_with(tmp_path / "site", site="on: []\n"))
    difference = compare(tmp_path / "before", tmp_path / "after", most=1)
    (change,) = difference.knowledge
    assert str(change) == f"concept pulmonary_function_test, code {'|'.join(LOCAL)}: nothing became listed"
    (lung_function,) = (one for one in difference.statements if one.statement == LUNG_FUNCTION)
    assert lung_function.because == (change,)
    assert lung_function.first[0].after == "satisfied"


def test_another_release_of_the_software_is_said(runs: tuple[Path, Path]) -> None:
    same = compare(*runs, most=0)
    assert "Software" not in as_text(same)
    assert "Software 1.0 → 1.1: what changes may come from it, too" in as_text(replace(same, software=("1.0", "1.1")))


def test_runs_over_different_data_are_not_compared(runs: tuple[Path, Path], tmp_path: Path) -> None:
    ran(as_bulk_data(tmp_path / "in", [chart("healthy")]), tmp_path / "out")
    with pytest.raises(CohortError, match="not run over the same data"):
        compare(runs[0], tmp_path / "out", most=2)


def test_the_command_prints_it_and_writes_every_change(
    changes: list[PatientChange], runs: tuple[Path, Path], tmp_path: Path
) -> None:
    done = CliRunner().invoke(cohort, ["diff", *map(str, runs), "--out", str(tmp_path / "changes.ndjson")])
    assert done.exit_code == 0
    assert "50 became 63" in done.output
    lines = [orjson.loads(line) for line in (tmp_path / "changes.ndjson").read_bytes().splitlines()]
    assert lines == [change.as_row() for change in changes]


def test_of_each_statement_so_many_patients_are_named_and_all_are_counted(
    changes: list[PatientChange], difference: Difference
) -> None:
    (statement,) = (one for one in difference.statements if one.statement == COLONOSCOPY)
    concerned = [change for change in changes if change.statement == COLONOSCOPY]
    assert statement.first == tuple(concerned[:2])
    assert statement.patients == len(concerned) > 2
    assert sum(number for _, number in statement.ways) == len(concerned)


def made_up_run(
    folder: Path, patients: int, outcome: str, *, on_card: bool = False, due: str | None = None, orders: str = ""
) -> Path:
    """What `compare` reads of a run, with one statement for everybody."""
    import duckdb

    folder.mkdir()
    account = {"asOf": "", "lines": 0, "badLines": 0, "resources": {}, "data": "", "kindsNotSent": {}, "kindsIncomplete": []}
    account |= {"knowledgeVersion": outcome, "software": outcome, "rows": {"patients": patients}}
    (folder / "run.json").write_bytes(orjson.dumps(account))
    (folder / "knowledge.json").write_bytes(b"{}")
    rows = """SELECT format('{:09}', number) AS patient, 'site' AS site, 'statement' AS recommendation, $1 AS outcome,
        $3 AS on_card, $4::DATE AS due_from, $5 AS orders FROM range($2) AS each(number)"""
    with duckdb.connect() as database:
        database.sql(rows, params=[outcome, patients, on_card, due, orders]).write_parquet(
            str(folder / "recommendations.parquet")
        )
    return folder


def test_ten_times_the_changes_need_no_more_memory(tmp_path: Path) -> None:
    """Of Python, which is all that tracemalloc sees: what DuckDB takes is bounded by `tables.MEMORY`, and not measured here."""
    few, many = (peak_of_comparing(tmp_path, patients) for patients in (5_000, 50_000))
    assert many < 1.5 * few


def peak_of_comparing(folder: Path, patients: int) -> int:
    """Bytes; the least of three, since whatever else runs in this process is counted too."""
    before, after = (made_up_run(folder / f"{patients}-{outcome}", patients, outcome) for outcome in ("holds", "unknown"))
    peaks = []
    for _ in range(3):
        tracemalloc.start()
        (statement,) = compare(before, after, most=3).statements
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert statement.patients == patients
    return min(peaks)


def test_ways_that_are_equally_frequent_stand_by_name(tmp_path: Path) -> None:
    import duckdb

    before, after = made_up_run(tmp_path / "before", 2, "holds"), made_up_run(tmp_path / "after", 2, "unknown")
    changed = "SELECT * REPLACE (if(patient = '000000001', 'satisfied', outcome) AS outcome) FROM read_parquet($1)"
    with duckdb.connect() as database:
        database.sql(changed, params=[str(after / "recommendations.parquet")]).write_parquet(str(tmp_path / "changed"))
    (tmp_path / "changed").replace(after / "recommendations.parquet")
    (statement,) = compare(before, after, most=0).statements
    assert statement.ways == (("holds → satisfied", 1), ("holds → unknown", 1))


CARDS_ARE_FEW = "other statements of these patients changed, and cards are few"
NOT_NAMED = "of something that the statement does not name"


@pytest.mark.parametrize(
    ("changed", "way", "because"),
    [
        pytest.param({"orders": "ct-thorax"}, "holds, with other orders", NOT_NAMED, id="orders"),
        pytest.param({"due": "2027-01-01"}, "holds, due from another day", NOT_NAMED, id="day"),
        pytest.param({"on_card": True}, "holds, card gained", CARDS_ARE_FEW, id="card"),
    ],
)
def test_what_is_another_is_said_and_only_that(tmp_path: Path, changed: dict[str, Any], way: str, because: str) -> None:
    difference = compare(made_up_run(tmp_path / "before", 1, "holds"), made_up_run(tmp_path / "after", 1, "holds", **changed), 1)
    (statement,) = difference.statements
    assert statement.ways == ((way, 1),)
    assert statement.is_on_cards_only == ("on_card" in changed)
    assert f"because {because}" in as_text(difference)


def test_the_orders_of_both_runs_stand_in_every_change(tmp_path: Path) -> None:
    kept: list[PatientChange] = []
    before, after = (made_up_run(tmp_path / orders, 1, "holds", orders=orders) for orders in ("mri", "ct"))
    compare(before, after, 0, kept.append)
    assert [(row["ordersBefore"], row["ordersAfter"]) for row in (change.as_row() for change in kept)] == [("mri", "ct")]


def test_a_folder_without_a_finished_run_is_named(tmp_path: Path) -> None:
    done = CliRunner().invoke(cohort, ["diff", str(tmp_path), str(tmp_path)])
    assert done.exit_code == 2
    assert "holds no finished run" in done.output


def without(member: str, folder: Path) -> None:
    """As an older release wrote it."""
    account = orjson.loads((folder / "run.json").read_bytes())
    of, _, name = member.rpartition(".")
    (account[of] if of else account).pop(name)
    (folder / "run.json").write_bytes(orjson.dumps(account))


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("member", ["asOf", "data", "kindsIncomplete", "knowledgeVersion", "software", "rows", "rows.patients"])
def test_a_run_of_another_release_is_named_with_what_it_lacks(tmp_path: Path, side: str, member: str) -> None:
    folders = [made_up_run(tmp_path / name, 1, "holds") for name in ("before", "after")]
    without(member, tmp_path / side)
    done = CliRunner().invoke(cohort, ["diff", *map(str, folders)])
    assert done.exit_code == 2
    lacks = "rows.patients" if member == "rows" else member
    assert f"{tmp_path / side}: `run.json` lacks {lacks}, as one of another release may. Do that run again" in done.output


def write(name: str, content: bytes) -> Callable[[Path], object]:
    """What puts something else in the place of a file."""
    return lambda folder: (folder / name).write_bytes(content)


def older_table(folder: Path) -> None:
    """Of a release that knew nothing of orders."""
    import duckdb

    with duckdb.connect() as database:
        table = database.sql("SELECT * EXCLUDE orders FROM read_parquet($1)", params=[str(folder / "recommendations.parquet")])
        table.write_parquet(str(folder / "older"))
    (folder / "older").replace(folder / "recommendations.parquet")


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize(
    ("damage", "says"),
    [
        pytest.param(write("run.json", b'{"asOf": '), "`run.json` is damaged: it is no JSON.", id="half a run.json"),
        pytest.param(write("run.json", b"[]"), "`run.json` is damaged: it is no JSON object.", id="another run.json"),
        pytest.param(write("knowledge.json", b""), "`knowledge.json` is damaged: it is no JSON.", id="empty knowledge"),
        pytest.param(
            write("recommendations.parquet", b"PAR1"), "`recommendations.parquet` is missing, damaged", id="half a table"
        ),
        pytest.param(older_table, "of another release (DuckDB: BinderException)", id="an older table"),
    ],
)
def test_a_damaged_run_is_named_with_what_is_wrong(
    tmp_path: Path, side: str, damage: Callable[[Path], object], says: str
) -> None:
    folders = [made_up_run(tmp_path / name, 1, "holds") for name in ("before", "after")]
    damage(tmp_path / side)
    done = CliRunner().invoke(cohort, ["diff", *map(str, folders)])
    assert done.exit_code == 2
    assert f"{tmp_path / side}: " in done.output
    assert says in done.output
    assert "Do that run again with this release." in done.output


def test_a_run_without_its_knowledge_is_not_finished(tmp_path: Path) -> None:
    folder = made_up_run(tmp_path / "run", 1, "holds")
    (folder / "knowledge.json").unlink()
    with pytest.raises(CohortError, match=r"holds no finished run \(`knowledge.json`"):
        compare(folder, folder, most=1)


def test_what_does_not_fit_into_memory_goes_to_a_private_folder_that_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Into no finished run: whoever compares may not even be allowed to write there."""
    before, after = (made_up_run(tmp_path / outcome, 1, outcome) for outcome in ("holds", "unknown"))
    spill = tmp_path / "temporary"
    spill.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spill))
    during: list[int] = []
    compare(before, after, 0, lambda _: during.extend(S_IMODE(folder.stat().st_mode) for folder in spill.iterdir()))
    assert during == [0o700]
    assert list(spill.iterdir()) == []


def test_changes_that_do_not_fit_into_memory_are_compared_by_way_of_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In half of the memory, so that fewer are enough: joined and sorted at once, they did not fit."""
    before, after = (made_up_run(tmp_path / outcome, 500_000, outcome) for outcome in ("holds", "unknown"))
    monkeypatch.setattr("server.cohort.diff.MORE_MEMORY", "64MB")
    (statement,) = compare(before, after, most=1).statements
    assert statement.ways == (("holds → unknown", 500_000),)


def test_the_day_of_the_runs_is_that_of_the_stories(runs: tuple[Path, Path]) -> None:
    assert f'"asOf": "{AS_OF}"' in (runs[0] / "run.json").read_text("utf-8")

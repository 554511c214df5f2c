"""Reading holds little, however large the input, and a partition looks into few files, however many tasks there were."""

import gzip
import json
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from server.cohort import collate, pieces, scatter
from server.cohort.plan import Plan, begin
from tests.server.charts import chart, slugs
from tests.server.cohort.registries import as_bulk_data, planned, ran, results
from tests.server.cohort.test_run import without_bad_line_paths


def packed_observations(folder: Path, number: int) -> Path:
    """One compressed file of observations of many patients."""
    folder.mkdir()
    with gzip.open(folder / "Observation.ndjson.gz", "wt", compresslevel=1) as stream:
        for one in range(number):
            subject = {"reference": f"Patient/{one % 997}"}
            stream.write(f"{json.dumps({'resourceType': 'Observation', 'id': str(one), 'subject': subject})}\n")
    return folder


def scattered(place: Path, out: Path) -> Plan:
    """The first step of a run, done."""
    plan = planned(place, out)
    begin(plan)
    for task in range(len(plan.tasks)):
        scatter.scatter(plan, task)
    return plan


def collated(place: Path, out: Path) -> Plan:
    """The first two steps of a run, done."""
    plan = scattered(place, out)
    collate.gather_runs(plan)
    for group in range(collate.groups(plan)):
        collate.collate(plan, group)
    return plan


def test_a_compressed_file_ten_times_as_large_needs_no_more_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scatter, "RUN_BYTES", 20_000)
    peaks = []
    for number in (10, 600, 6_000):  # the first only loads what is needed
        place = packed_observations(tmp_path / f"in-{number}", number)
        tracemalloc.start()
        plan = scattered(place, tmp_path / f"out-{number}")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(plan.tasks) == 1
        assert (len(list(plan.scattered.glob("*.pieces"))) > 1) is (number > 10)
    assert peaks[2] < 1.2 * peaks[1]


def test_what_a_task_leaves_in_several_files_is_what_it_leaves_in_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = as_bulk_data(tmp_path / "in", map(chart, slugs()), packed=True)
    ran(place, tmp_path / "one")
    monkeypatch.setattr(scatter, "RUN_BYTES", 5_000)
    monkeypatch.setattr(collate, "AT_ONCE", 7)
    ran(place, tmp_path / "several")
    assert without_bad_line_paths(results(tmp_path / "several")) == without_bad_line_paths(results(tmp_path / "one"))


def test_a_partition_opens_one_file_for_many_tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Counter[Path]()

    def noting(file: Path, *more: Any) -> Any:
        opened[file] += 1
        return pieces.lines_in(file, *more)

    monkeypatch.setattr(collate, "lines_in", noting)
    monkeypatch.setattr(collate, "AT_ONCE", 10)
    plan = scattered(as_bulk_data(tmp_path / "in"), tmp_path / "out")
    collate.gather_runs(plan)
    for group in range(collate.groups(plan)):
        collate.collate(plan, group)
    assert len(plan.tasks) > 10
    for partition in range(plan.partitions):
        list(collate.lines_of_partition(plan, partition))
    assert set(opened.values()) == {plan.partitions}
    assert len(opened) == collate.groups(plan) == -(-len(plan.tasks) // 10)


def test_what_was_put_together_is_kept_once(tmp_path: Path) -> None:
    plan = collated(as_bulk_data(tmp_path / "in"), tmp_path / "out")
    collate.remove_runs(plan)
    assert not list(plan.scattered.glob("*.pieces"))
    assert sum(1 for _ in collate.lines_of_partition(plan, 0)) > 0

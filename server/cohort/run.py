"""A cohort run: read the input, evaluate its patients, write the tables. Killed at any moment, it goes on where it was."""

import fcntl
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import orjson

from server.build_information import software_version
from server.cohort.collate import collate, collated_file, gather_runs, groups, remove_runs
from server.cohort.engines import Engine
from server.cohort.errors import CohortError
from server.cohort.evaluate import evaluate_partition, folder_of
from server.cohort.files import whole_file, write_whole
from server.cohort.inputs import Inputs
from server.cohort.knowledge_kept import kept, terminology_kept
from server.cohort.plan import Plan, PlanAddress, begin, plan_at
from server.cohort.report.write import write_report
from server.cohort.scatter import bad_lines, scatter, summaries, summary_file
from server.cohort.shared import Shared, gather_shared
from server.cohort.survey import file_of as survey_of
from server.cohort.survey import gather_survey, kinds_of, survey
from server.cohort.tables import write_tables
from server.small_numbers import LEAST


class Follower(Protocol):
    """Is told how a step goes on."""

    def step(self, title: str, done: int, of: int, counted: str) -> None:
        """A step begins, of which a part may be done already; `counted` is what its tasks find."""

    def ended(self, found: int) -> None:
        """A task has ended, and found so many."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to.

    Args:
        rows: of each table.
        went_on: it went on with work that was there.
    """

    rows: dict[str, int]
    went_on: bool


def run(
    plan: Plan, inputs: Inputs, engine: Engine, follower: Follower, *, least: int = LEAST, keeps_work: bool = False
) -> Outcome:
    """Do what is left to do of a run.

    Args:
        plan: what to do.
        inputs: what it reads.
        engine: who does it.
        follower: whom to tell.
        least: the report is to name no smaller number of patients.
        keeps_work: leave the work in progress where it is, when all is done.

    Raises:
        CohortError: it cannot go on; what was done stays done.
    """
    Path(plan.out).mkdir(parents=True, exist_ok=True)
    with _alone(plan):
        out = Path(plan.out)
        done = out / ".work-done"
        shutil.rmtree(done, ignore_errors=True)  # of a run that was killed while it removed it
        went_on = begin(plan)
        do = partial(_do, plan, engine, follower)
        do(_Step("Reading", "resources", _scatter, summary_file), len(plan.tasks))
        if not plan.runs.exists():
            gather_runs(plan)
        do(_Step("Sorting", "pieces", _collate, collated_file), groups(plan))
        remove_runs(plan)
        if not plan.shared.exists():
            gather_shared(plan)
        if not plan.kinds.exists():
            do(_Step("Surveying", "patients", _survey, survey_of), plan.partitions)
            gather_survey(plan)
        do(_Step("Evaluating", "patients", _evaluate, folder_of), plan.partitions)
        engine.end()
        for name in ("run.json", "report.html"):  # of an earlier run: nobody shall take new tables for old ones
            (out / name).unlink(missing_ok=True)
        rows = write_tables(plan, _write_bad_lines(plan))
        _write_account(plan, inputs, rows)
        write_report(out, plan.basis().knowledge, least, plan.work)
        if not keeps_work:
            plan.work.rename(done)  # in one step, so that nobody goes on with half of it
            shutil.rmtree(done)
    return Outcome(rows, went_on)


@dataclass(frozen=True, slots=True)
class _Step:
    title: str
    counted: str
    task: Callable[[PlanAddress, int], int]
    done: Callable[[Plan, int], Path]


def _do(plan: Plan, engine: Engine, follower: Follower, step: _Step, of: int) -> None:
    """What is left to do of a step, which has so many tasks."""
    left = [number for number in range(of) if not step.done(plan, number).exists()]
    follower.step(step.title, of - len(left), of, step.counted)
    for found in engine.run(partial(step.task, plan.address), left):
        follower.ended(found)


def _scatter(address: PlanAddress, task: int) -> int:
    return scatter(plan_at(address), task)


def _collate(address: PlanAddress, group: int) -> int:
    return collate(plan_at(address), group)


def _survey(address: PlanAddress, partition: int) -> int:
    return survey(plan_at(address), partition)


def _evaluate(address: PlanAddress, partition: int) -> int:
    return evaluate_partition(plan_at(address), partition, kinds_of(address))


def _of_sites(plan: Plan) -> dict[str, Any]:
    """By the site, of how many patients it sends what, and what it sends of nobody."""
    kinds = kinds_of(plan.address)
    with closing(Shared(plan.shared)) as shared:
        return {
            "patientsByKind": {shared.title_of(site): sent for site, sent in kinds.sites.items()},
            "kindsNotSent": {shared.title_of(site): lacking for site, lacking in kinds.not_sent().items()},
        }


@contextmanager
def _alone(plan: Plan) -> Iterator[None]:
    """Two runs into one folder would take each other's work away."""
    descriptor = os.open(plan.out, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise CohortError(f"{plan.out}: another run is at work there; wait for it, or choose another folder.") from None
    finally:
        os.close(descriptor)


def _write_bad_lines(plan: Plan) -> Path:
    """The lines that cannot be used, one after the other, numbered in their files and not in the parts of these."""
    path = plan.work / "bad_lines.ndjson"
    with whole_file(path) as stream:
        for row in _bad_lines(plan):
            stream.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
    return path


def _bad_lines(plan: Plan) -> Iterator[dict[str, Any]]:
    file, before = "", 0  # lines of this file in earlier parts: those of one file stand together
    for number, summary in enumerate(summaries(plan)):
        starts = []
        for part, lines in zip(plan.tasks[number], summary["lines"], strict=True):
            file, before = part.file, before if part.file == file else 0
            starts.append((file, before))
            before += lines
        for part_number, line, problem in bad_lines(plan, number):
            name, start = starts[part_number]
            yield {"file": name, "line": start + line, "problem": problem}


def _write_account(plan: Plan, inputs: Inputs, rows: dict[str, int]) -> None:
    """What was read and what it rests on; nothing that differs when the same run is done again."""
    used, passed_over, lines, bad, data = Counter[str](), Counter[str](), 0, 0, 0
    for summary in summaries(plan):
        used.update(summary["kinds"])
        passed_over.update(summary["passed_over"])
        lines += sum(summary["lines"])
        data = (data + summary["data"]) % 2**64
        bad += summary["bad"]
    account = {
        "asOf": plan.as_of,
        "software": software_version(),
        "knowledgeVersion": plan.basis().knowledge.version,
        "knowledgeDigest": plan.digest,
        "files": len({part.file for task in plan.tasks for part in task}),
        "filesNotRead": [Path(name).name for name in inputs.passed_over],
        "data": f"{data:016x}",
        "lines": lines,
        "badLines": bad,
        "resources": dict(sorted(used.items())),
        "resourcesPassedOver": dict(sorted(passed_over.items())),
        **_of_sites(plan),
        "kindsIncomplete": sorted({*plan.incomplete, *kinds_of(plan.address).damaged}),
        "rows": rows,
    }
    folders = (Path(folder) if folder else None for folder in (plan.site, plan.terminology))
    rests_on = kept(plan.basis().knowledge) | terminology_kept(*folders)
    write_whole(Path(plan.out) / "knowledge.json", orjson.dumps(rests_on, option=orjson.OPT_INDENT_2))
    write_whole(Path(plan.out) / "run.json", orjson.dumps(account, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))

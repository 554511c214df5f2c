"""Second step: evaluate the patients of one partition, and leave rows."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import orjson

from fhir_profiles.dates import DateInterval, parse_fhir_date
from fhir_profiles.record import InputState
from server.basis import Basis
from server.cohort.bundles import unwrapped
from server.cohort.collate import lines_of_partition
from server.cohort.files import write_folder
from server.cohort.owners import UNREADABLE
from server.cohort.plan import Plan
from server.cohort.rows import Rows, rows_of
from server.cohort.shared import Json, Shared, newest, organisation_of
from server.cohort.survey import NOWHERE, Kinds
from server.evaluation import Evaluation, evaluate

SEED = "cohort"
"""Makes the uuids of cards, which a cohort run does not keep."""


@dataclass(frozen=True, slots=True)
class Chart:
    """All that the input has about one patient.

    Args:
        patient: FHIR id.
        resources: resources and Bundles.
        unreadable: types of which something could not be read.
    """

    patient: str
    resources: list[Json]
    unreadable: frozenset[str]


def evaluate_partition(plan: Plan, partition: int, kinds: Kinds) -> int:
    """Evaluate the patients of a partition.

    Args:
        plan: the run.
        partition: its number.
        kinds: what the input holds.

    Returns:
        How many patients it has.
    """
    basis = plan.basis()
    rows = Rows()
    with closing(Shared(plan.shared)) as shared:
        for chart in charts(plan, partition):
            resources = list(unwrapped(chart.resources))
            own = newest([one for one in resources if one.get("resourceType") == "Patient" and one.get("id") == chart.patient])
            organisation = None if own is None else organisation_of(own) or NOWHERE
            evaluation = evaluate_chart(chart, shared.drugs_of(resources), kinds, organisation, plan, basis)
            rows.add(rows_of(chart.patient, evaluation, shared.site_of(own), len(resources), _died(own)))
    write_folder(folder_of(plan, partition), rows.as_files())
    return len(rows.patients)


def evaluate_chart(
    chart: Chart, drugs: list[Json], kinds: Kinds, organisation: str | None, plan: Plan, basis: Basis
) -> Evaluation:
    """Evaluate one patient, as at the bedside.

    Args:
        chart: what the input has about the patient.
        drugs: Medications that it names.
        kinds: what the input holds. A Bundle says only what is in it.
        organisation: that manages the patient's record; None where that was not sent.
        plan: the run.
        basis: what the evaluation rests on.
    """
    supplied = frozenset[str]() if _has_bundle(chart) else kinds.empty_for(organisation)
    present = {kind for resource in chart.resources if isinstance(kind := resource.get("resourceType"), str)}
    inputs = dict.fromkeys(sorted(supplied - present), InputState.CONFIRMED_EMPTY)
    inputs |= dict.fromkeys(sorted(chart.unreadable | kinds.failed), InputState.FAILED)
    return evaluate(
        [*chart.resources, *drugs],
        as_of=plan.as_of,
        seed=SEED,
        patient_id=chart.patient,
        inputs=inputs,
        basis=basis,
        timer=time.process_time,
    )


def charts(plan: Plan, partition: int) -> Iterator[Chart]:
    """The patients of a partition, by id. Parsed one at a time: until then they are bytes."""
    lines: dict[str, list[bytes]] = defaultdict(list)
    for patient, _, raw in lines_of_partition(plan, partition):
        if patient is not None:
            lines[patient].append(raw)
    for patient in sorted(lines):
        values = [orjson.loads(raw) for raw in lines.pop(patient)]
        unreadable = frozenset(value[UNREADABLE] for value in values if UNREADABLE in value and "resourceType" not in value)
        yield Chart(patient, [value for value in values if "resourceType" in value], unreadable)


def folder_of(plan: Plan, partition: int) -> Path:
    """Where the rows of a partition are; it is there once they all are."""
    return plan.evaluated / f"{partition:06}"


def _died(patient: Json | None) -> DateInterval | None:
    day = (patient or {}).get("deceasedDateTime")
    return parse_fhir_date(day) if isinstance(day, str) else None


def _has_bundle(chart: Chart) -> bool:
    return any(resource.get("resourceType") == "Bundle" for resource in chart.resources)

"""Made-up cohorts for these tests, each made once."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Any

import orjson

from fhir_profiles.codes import Terminology
from server.basis import packaged_basis
from server.cohort.synthesis.cohort import Settings, SyntheticCohort, SyntheticPatient
from server.evaluation import Evaluation, evaluate

AS_OF = date(2026, 11, 22)
SETTINGS = Settings(seed=7, as_of=AS_OF)


def terminology() -> Terminology:
    """What the service reads codes with."""
    return packaged_basis().terminology


@cache
def cohort() -> SyntheticCohort:
    """The cohort of these tests."""
    return SyntheticCohort(SETTINGS, terminology())


@cache
def with_myositis(number: int = 1500) -> tuple[SyntheticPatient, ...]:
    """People of another cohort, in which everybody has myositis."""
    everybody = SyntheticCohort(Settings(seed=11, as_of=AS_OF, resources=1, myositis_share=1), terminology())
    return tuple(everybody.patients(number))


@cache
def shared() -> dict[str, dict[str, Any]]:
    """What patients share, by reference."""
    resources = [orjson.loads(line) for _, line in cohort().shared()]
    return {f"{one['resourceType']}/{one['id']}": one for one in resources}


def resources_of(patient: SyntheticPatient) -> list[dict[str, Any]]:
    """A chart, parsed."""
    return [orjson.loads(line) for lines in patient.lines.values() for line in lines]


def read(patient: SyntheticPatient) -> Evaluation:
    """What the service finds in a chart and in the Medications that it refers to."""
    drugs = [one for one in shared().values() if one["resourceType"] == "Medication"]
    return evaluate([*resources_of(patient), *drugs], as_of=AS_OF, seed="cohort", patient_id=patient.id)


def shares_of(values: Iterable[str]) -> dict[str, float]:
    """How often each occurs, of all."""
    counted = Counter(values)
    return {name: number / counted.total() for name, number in counted.items()}


def bound(share: float, people: int) -> float:
    """Four standard errors: by chance a share lies farther away once in sixteen thousand times."""
    return float(4 * (share * (1 - share) / people) ** 0.5) + 0.5 / people

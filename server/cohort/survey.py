"""Between the two steps: which kinds of resource each site sends, so that "none" is told from "never sent".

A registry of seven hospitals may have lung function tests of six. To the patients of the seventh nothing says that they had none.
"""

from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import orjson

from fhir_profiles.elements import objects
from fhir_profiles.reader import RESOURCE_TYPES
from server.cohort.files import write_whole
from server.cohort.plan import Plan, PlanAddress
from server.cohort.scatter import pieces
from server.cohort.shared import Json

NOWHERE = ""
"""Stands for the organisation of patients whose record names none."""

Kinds = Mapping[str, frozenset[str]]
"""Resource types by organisation: a reference, as patients name it."""


def organisation_of(patients: list[Json]) -> str:
    """The reference of the organisation that manages a patient's record, as the last of these Patients has it."""
    named = [
        text
        for patient in patients
        for reference in objects(patient.get("managingOrganization"))
        if isinstance(text := reference.get("reference"), str)
    ]
    return named[-1] if named else NOWHERE


def survey(plan: Plan, partition: int) -> int:
    """See what is there of the patients of one partition.

    Returns:
        How many patients there are.
    """
    kinds: dict[str, set[str]] = defaultdict(set)
    records: dict[str, list[Json]] = defaultdict(list)
    for patient, kind, raw in pieces(plan, partition):
        if patient is not None:
            kinds[patient].add(kind)
            if kind == "Patient":
                records[patient].append(orjson.loads(raw))
    sites: dict[str, set[str]] = defaultdict(set)
    for patient, found in kinds.items():
        sites[organisation_of(records[patient])] |= found
    write_whole(file_of(plan, partition), orjson.dumps({site: sorted(found) for site, found in sites.items()}))
    return len(kinds)


def file_of(plan: Plan, partition: int) -> Path:
    """Where the survey of a partition is."""
    return plan.surveyed / f"{partition:06}.json"


def gather_survey(plan: Plan) -> None:
    """Put the surveys of all partitions together."""
    sites: dict[str, set[str]] = defaultdict(set)
    for partition in range(plan.partitions):
        for site, found in orjson.loads(file_of(plan, partition).read_bytes()).items():
            sites[site] |= RESOURCE_TYPES.intersection(found)
    write_whole(plan.kinds, orjson.dumps({site: sorted(found) for site, found in sorted(sites.items())}))


@lru_cache(maxsize=4)
def kinds_by_site(plan: Plan, address: PlanAddress) -> Kinds:
    """The resource types that each site sends of anybody. Whoever has none of these has none.

    Not those of which the run was told not to hold everything.

    Args:
        plan: the run.
        address: its own, which tells it from others that were made in the same folder.
    """
    found = orjson.loads(plan.kinds.read_bytes())
    return {site: frozenset(kinds) - {"Patient", *plan.incomplete} for site, kinds in found.items()}


def not_sent(kinds: Kinds) -> dict[str, list[str]]:
    """By organisation, what others send and it does not."""
    everything = frozenset[str]().union(*kinds.values())
    return {site: sorted(everything - found) for site, found in kinds.items() if everything - found}

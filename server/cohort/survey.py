"""Between the two steps: which kinds of resource each site sends, so that "none" is told from "never sent".

A registry of seven hospitals may have lung function tests of six. To the patients of the seventh nothing says that they had none.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import orjson

from fhir_profiles.reader import RESOURCE_TYPES
from server.cohort.collate import lines_of_partition
from server.cohort.files import write_whole
from server.cohort.plan import Plan, PlanAddress, plan_at
from server.cohort.scatter import summaries
from server.cohort.shared import Json, newest, organisation_of

NOWHERE = ""
"""Stands for the organisation of patients whose record names none."""

EXPECTED = frozenset({"Condition", "DiagnosticReport", "MedicationRequest", "Observation", "Procedure", "ServiceRequest"})
"""What advice rests on most; a site that sends none of one of these is named, though nobody else may send it either."""


@dataclass(frozen=True, slots=True)
class Kinds:
    """What the input holds.

    Args:
        sites: patients of whom something of a resource type is sent, by organisation and type; of whom the record of the patient
            itself is, stands under Patient.
        damaged: types of which something was lost that may be anybody's.
        incomplete: types of which the run was told not to hold everything.
    """

    sites: Mapping[str, Mapping[str, int]]
    damaged: frozenset[str]
    incomplete: frozenset[str]

    def empty_for(self, organisation: str | None) -> frozenset[str]:
        """The types of which a patient has none, where the chart has none: those of which the site sends something of anybody.

        No source says of how many it must be, so that one is enough, and the report shows of how many it is.

        Args:
            organisation: of the patient; None where the record of the patient itself was not sent. Among patients who name one,
                nothing is known of those who name none.
        """
        if organisation is None or (organisation == NOWHERE and len(self.sites) > 1):
            return frozenset()
        return frozenset(self.sites.get(organisation, {})) - {"Patient"}

    @property
    def failed(self) -> frozenset[str]:
        """The types of which nothing counts as not done, of anybody."""
        return self.damaged | self.incomplete

    def not_sent(self) -> dict[str, list[str]]:
        """By organisation, what it sends of nobody."""
        everything = EXPECTED.union(*self.sites.values())
        return {site: sorted(lacking) for site, found in self.sites.items() if (lacking := everything - found.keys())}


def survey(plan: Plan, partition: int) -> int:
    """See what is there of the patients of one partition; of Bundles nothing is concluded.

    Returns:
        How many patients there are.
    """
    kinds: dict[str, set[str]] = defaultdict(set)
    records: dict[str, list[Json]] = defaultdict(list)
    for patient, kind, raw in lines_of_partition(plan, partition):
        if patient is not None:
            kinds[patient].add(kind)
            if kind == "Patient":
                records[patient].append(orjson.loads(raw))
    sites: dict[str, Counter[str]] = defaultdict(Counter)
    for patient, found in kinds.items():
        if patient in records and "Bundle" not in found:
            sites[organisation_of(newest(records[patient])) or NOWHERE].update(RESOURCE_TYPES & found)
    write_whole(file_of(plan, partition), orjson.dumps(sites, option=orjson.OPT_SORT_KEYS))
    return len(kinds)


def file_of(plan: Plan, partition: int) -> Path:
    """Where the survey of a partition is."""
    return plan.surveyed / f"{partition:06}.json"


def gather_survey(plan: Plan) -> None:
    """Put the surveys of all partitions together."""
    sites: dict[str, Counter[str]] = defaultdict(Counter)
    for partition in range(plan.partitions):
        for site, found in orjson.loads(file_of(plan, partition).read_bytes()).items():
            sites[site].update(found)
    damaged = sorted({kind for summary in summaries(plan) for kind in summary["damaged"]})
    write_whole(plan.kinds, orjson.dumps({"sites": sites, "damaged": damaged}, option=orjson.OPT_SORT_KEYS))


@lru_cache(maxsize=4)
def kinds_of(address: PlanAddress) -> Kinds:
    """What was put together.

    Args:
        address: of the plan of the run.
    """
    plan = plan_at(address)
    found = orjson.loads(plan.kinds.read_bytes())
    return Kinds(found["sites"], frozenset(found["damaged"]) - {"Patient"}, frozenset(plan.incomplete))

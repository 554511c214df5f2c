"""What an export holds: the resources of the charts as they are at one moment, and what was deleted since another."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sandbox.access import Access
from sandbox.bulk_data.groups import groups
from sandbox.bundles import Json
from sandbox.chart_store import ChartStore
from sandbox.charts import Chart
from sandbox.clinic import PRACTITIONERS, encounter
from sandbox.resource_types import PATIENT_OF

OF_PATIENTS = (*PATIENT_OF, "Encounter")
"""What is exported of patients: their compartment, as far as the charts have it."""

OF_THE_SYSTEM = (*OF_PATIENTS, "Group", "Practitioner")
"""The same, and what is about nobody."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be exported.

    Args:
        types: resource types.
        patients: FHIR ids; None for everybody.
        since: only what was changed later; None for everything.
        granted: what the token lets its bearer do.
    """

    types: Sequence[str]
    patients: Collection[str] | None
    since: datetime | None
    granted: Access

    def includes(self, resource: Json) -> bool:
        """Whether a resource is covered by the token, and was changed lately enough; what has no version always was."""
        updated = resource.get("meta", {}).get("lastUpdated")
        is_new = self.since is None or updated is None or datetime.fromisoformat(updated) > self.since
        return is_new and self.granted.exports(resource)


def gather(store: ChartStore, wanted: Wanted) -> dict[str, list[Json]]:
    """The resources by type; a type of which there is none is left out."""
    charts = store.charts()
    own = [chart for chart in charts if wanted.patients is None or chart.patient_id in wanted.patients]
    found = {kind: [*filter(wanted.includes, _of_type(kind, own, charts, store))] for kind in wanted.types}
    return {kind: resources for kind, resources in found.items() if resources}


def gather_deleted(store: ChartStore, wanted: Wanted) -> list[Json]:
    """A transaction Bundle for each resource that was deleted after `since` ("Response - Complete Status", `deleted`)."""
    return [*_deletions(store, wanted, wanted.since)] if wanted.since else []


def _deletions(store: ChartStore, wanted: Wanted, since: datetime) -> Iterator[Json]:
    for patient, (kind, resource_id), updated in store.deletions():
        is_of_patients = wanted.patients is None or patient in wanted.patients
        if is_of_patients and kind in wanted.types and datetime.fromisoformat(updated) > since:
            entry = {"request": {"method": "DELETE", "url": f"{kind}/{resource_id}"}}
            yield {"resourceType": "Bundle", "meta": {"lastUpdated": updated}, "type": "transaction", "entry": [entry]}


def _of_type(kind: str, own: Sequence[Chart], everybody: Sequence[Chart], store: ChartStore) -> Sequence[Json]:
    if kind == "Practitioner":
        return PRACTITIONERS
    if kind == "Group":
        return groups(everybody)
    if kind == "Encounter":
        return [encounter(chart.story, store.today()) for chart in own]
    return [resource for chart in own for resource in chart.of(kind)]

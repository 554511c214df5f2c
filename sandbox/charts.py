"""The charts of the sandbox: each story with the FHIR resources built from it."""

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from sandbox.build_patients import PATIENTS_FOLDER
from sandbox.bundles import Json
from sandbox.dates import move_dates
from sandbox.story import STORIES_FOLDER, Story, read_stories


@dataclass(frozen=True, slots=True)
class Chart:
    """One patient of the sandbox.

    Args:
        story: the patient in a few lines.
        resources: the FHIR R4 resources of the chart, the Patient first.
    """

    story: Story
    resources: tuple[Json, ...]

    @property
    def patient_id(self) -> str:
        """The FHIR id of the patient."""
        return self.story.slug

    def of(self, *resource_types: str) -> tuple[Json, ...]:
        """The resources of these types, in the order of the chart."""
        return tuple(resource for resource in self.resources if resource["resourceType"] in resource_types)

    def as_of(self, today: date) -> "Chart":
        """The same chart with its dates moved so that the day of the story is `today`."""
        days = (today - self.story.as_of).days
        return Chart(self.story, tuple(move_dates(resource, days) for resource in self.resources))


@cache
def load_charts(stories: Path = STORIES_FOLDER, patients: Path = PATIENTS_FOLDER) -> dict[str, Chart]:
    """All charts by slug, as told (dates not moved)."""
    return {story.slug: Chart(story, _read_bundle(patients / f"{story.slug}.json")) for story in read_stories(stories)}


def _read_bundle(path: Path) -> tuple[Json, ...]:
    bundle = json.loads(path.read_text(encoding="utf-8"))
    return tuple(entry["resource"] for entry in bundle["entry"])

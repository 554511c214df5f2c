"""The Groups of this EHR, each a list of patients that can be exported: everybody, and those with myositis."""

from collections.abc import Iterable

from sandbox.bundles import Json
from sandbox.charts import Chart
from sandbox.story import Story

_MYOSITIS = frozenset(
    (
        "antisynthetase_syndrome",
        "antisynthetase_syndrome_in_words",
        "dermatomyositis",
        "dermatomyositis_adult_onset",
        "dermatomyositis_amyopathic",
        "dermatomyositis_juvenile",
        "dm_with_myopathy",
        "inclusion_body_myositis",
        "jdm_with_myopathy",
        "necrotising_myopathy",
        "necrotising_myopathy_g7249",
        "overlap_myositis",
        "polymyositis",
        "polymyositis_with_myopathy",
        "sporadic_ibm",
    )
)
"""Keys of `codes.csv`."""


def groups(charts: Iterable[Chart]) -> tuple[Json, ...]:
    """The Groups, with their members as the stories tell them: what is changed on a chart moves nobody.

    Args:
        charts: of this EHR.
    """
    stories = [chart.story for chart in charts]
    return (
        _group("everyone", "Every patient of the sandbox", stories),
        _group("myositis", "Patients with a confirmed myositis", filter(_has_myositis, stories)),
    )


def members(group: Json) -> frozenset[str]:
    """FHIR ids of the patients in a Group."""
    return frozenset(member["entity"]["reference"].removeprefix("Patient/") for member in group["member"])


def _has_myositis(story: Story) -> bool:
    return any(line.what in _MYOSITIS and line.verification == "confirmed" for line in story.conditions)


def _group(group_id: str, name: str, stories: Iterable[Story]) -> Json:
    found = [{"entity": {"reference": f"Patient/{story.slug}"}} for story in stories]
    return {
        "resourceType": "Group",
        "id": group_id,
        "active": True,
        "type": "person",
        "actual": True,
        "name": name,
        "quantity": len(found),
        "member": found,
    }

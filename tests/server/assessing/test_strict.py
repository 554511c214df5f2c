"""`--strict`: every resource against the full FHIR R4B models."""

import pytest

from server.assessing.strict import strict_issues
from tests.for_each import for_each
from tests.server.charts import Json, chart, slugs

OBSERVATION = {"resourceType": "Observation", "id": "1", "status": "final", "code": {"text": "x"}}


@for_each("slug", slugs())
def test_nothing_is_found_in_the_patients_of_the_sandbox(slug: str) -> None:
    assert strict_issues(chart(slug)) == ()


@pytest.mark.parametrize(
    ("resource", "reference"),
    [
        (OBSERVATION | {"effectiveDateTime": "SECRET"}, "Observation/1.effectiveDateTime"),
        (OBSERVATION | {"valueQuantity": {"value": "SECRET"}}, "Observation/1.valueQuantity.value"),
        (OBSERVATION | {"category": [{"coding": [{"code": " SECRET "}]}]}, "Observation/1.category[0].coding[0].code"),
        (OBSERVATION | {"valueString": "SECRET", "valueBoolean": True}, "Observation/1"),
        (OBSERVATION | {"contained": [{"resourceType": "SECRET"}]}, "Observation/1"),
        ({"resourceType": "Observation", "status": "final"}, "Observation without id.code"),
        ({"resourceType": "Unheard", "id": "1"}, "Unheard/1"),
    ],
)
def test_what_is_wrong_is_named_by_place_and_never_by_value(resource: Json, reference: str) -> None:
    for value in (resource, [resource], {"resourceType": "Bundle", "entry": [{"resource": resource}]}):
        issues = strict_issues(value)
        assert [issue.reference for issue in issues] == [reference]
        assert issues[0].problem.startswith("strict: ")
        assert "SECRET" not in issues[0].problem


def test_one_bad_resource_does_not_hide_another() -> None:
    bundle = {
        "resourceType": "Bundle",
        "entry": [{"resource": {"resourceType": "Unheard"}}, {"resource": {"resourceType": "Observation"}}],
    }
    assert {issue.reference.split(" ")[0] for issue in strict_issues(bundle)} == {"Unheard", "Observation"}

"""The hook calls that the benchmark measures: always the same, of the promised size, and worth answering."""

import orjson
import pytest

from benchmarks.bodies import AS_OF, PATIENT_ID, hook_call
from server.assessing.strict import strict_issues
from server.cds_hooks.envelope import read_hook_call
from server.cds_hooks.prefetch import read_prefetch
from server.cds_hooks.services import SERVICES
from server.evaluation import evaluate


@pytest.mark.parametrize("resources", [15, 250])
def test_a_body_is_always_the_same_and_has_as_many_resources_as_asked_for(resources: int) -> None:
    body = hook_call(resources)
    assert body == hook_call(resources)
    assert body.count(b'"resourceType"') - body.count(b'"resourceType":"Bundle"') == resources


def test_the_large_body_is_two_megabytes() -> None:
    assert 2.0e6 < len(hook_call(3000)) < 2.4e6


def test_its_resources_are_valid_fhir_and_give_cards() -> None:
    call = read_hook_call(orjson.loads(hook_call(250)), SERVICES["myositis-patient-view"])
    assert strict_issues(list(call.prefetch.values())) == ()
    prefetched = read_prefetch(call.prefetch)
    evaluation = evaluate(prefetched.parts, as_of=AS_OF, seed="seed", patient_id=PATIENT_ID, inputs=prefetched.inputs)
    assert len(evaluation.cards) >= 3
    assert (*evaluation.issues, *prefetched.issues) == ()

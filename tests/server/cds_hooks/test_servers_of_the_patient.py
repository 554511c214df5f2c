"""On which server the patient has the id of the call: two servers may have given the same one to two people (SAF-01)."""

import json

import pytest

from cards.show import EVERYTHING
from server.basis import packaged_basis
from server.cds_hooks.envelope import HookCall
from server.cds_hooks.evaluate_call import evaluate_call
from server.cds_hooks.prefetch import read_prefetch
from server.trust.clients import Client
from tests.server.charts import ANTI_TIF1, AS_OF, INSTANCE, Json, whole

ADULTS, CHILDREN, ELSEWHERE = "https://adults.example/fhir", "https://children.example/fhir", "https://else.example/fhir"


def drugs_come_from(server: str) -> Json:
    """A chart whose prescriptions name their subject with the address of a server."""
    prefetch = whole()
    text = json.dumps(prefetch["medicationRequests"])
    own, theirs = f'"Patient/{ANTI_TIF1}"', f'"{server}/Patient/{ANTI_TIF1}"'
    assert own in text
    rest = json.dumps({key: value for key, value in prefetch.items() if key != "medicationRequests"})
    return json.loads(rest.replace(own, f'"{ADULTS}/Patient/{ANTI_TIF1}"')) | {
        "medicationRequests": json.loads(text.replace(own, theirs))
    }


def are_used(prefetch: Json, named: str | None, *registered: str) -> bool:
    """Whether the prescriptions are taken for the patient's."""
    call = HookCall(INSTANCE, ANTI_TIF1, prefetch, fhir_server=named)
    client = Client("hospital", fhir_servers=registered)
    found = evaluate_call(call, read_prefetch(prefetch), client, EVERYTHING, as_of=AS_OF, basis=packaged_basis())
    return bool(found.record.drugs)


@pytest.mark.requirement("SAF-01")
@pytest.mark.parametrize(
    ("named", "registered", "prescribed_on", "used"),
    [
        pytest.param(ADULTS, (ADULTS, CHILDREN), ADULTS, True, id="the server of the call"),
        pytest.param(ADULTS, (ADULTS, CHILDREN), CHILDREN, False, id="another server of the client"),
        pytest.param(ADULTS, (), ELSEWHERE, False, id="an unknown server"),
        pytest.param(None, (ADULTS,), ADULTS, True, id="the only server of the client"),
        pytest.param(None, (ADULTS,), CHILDREN, False, id="not the only server of the client"),
        pytest.param(None, (ADULTS, CHILDREN), CHILDREN, True, id="one of several of the client, and none named"),
        pytest.param(None, (ADULTS, CHILDREN), ELSEWHERE, False, id="none of several of the client, and none named"),
    ],
)
def test_an_absolute_reference_counts_only_on_a_server_where_the_patient_is_known(
    named: str | None, registered: tuple[str, ...], prescribed_on: str, used: bool
) -> None:
    assert are_used(drugs_come_from(prescribed_on), named, *registered) == used

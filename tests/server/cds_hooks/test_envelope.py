"""The CDS Hooks request around the data: what must be there, and what may be there."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.cds_hooks.envelope import read_hook_call
from server.cds_hooks.services import SERVICES
from server.errors import EnvelopeError, WrongHookError
from tests.server.charts import INSTANCE, Json, hook_call, order_call

VIEW = SERVICES["myositis-patient-view"]
SELECT = SERVICES["myositis-order-select"]
SIGN = SERVICES["myositis-order-sign"]

EMPTY_BUNDLE: Json = {"resourceType": "Bundle"}


def without(value: Json, *path: str) -> Json:
    *parents, last = path
    at = value
    for name in parents:
        at = at[name]
    del at[last]
    return value


def test_a_call_is_read() -> None:
    call = read_hook_call(hook_call("p1", {"patient": None}), VIEW)
    assert (call.instance, call.patient_id, call.prefetch) == (INSTANCE, "p1", {"patient": None})
    assert (call.draft_orders, call.selections) == (None, None)


@pytest.mark.parametrize("prefetch", [None, {}])
def test_a_call_may_come_without_prefetch(prefetch: Json | None) -> None:
    assert read_hook_call(hook_call("p1", prefetch), VIEW).prefetch == {}
    assert read_hook_call(hook_call("p1", prefetch) | {"prefetch": None}, VIEW).prefetch == {}


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_an_order_call_brings_its_drafts(hook: str) -> None:
    service = SERVICES[f"myositis-{hook}"]
    call = read_hook_call(order_call(hook, "p1", {}, EMPTY_BUNDLE, selections=["MedicationRequest/1"]), service)
    assert call.draft_orders == EMPTY_BUNDLE


def test_order_select_tells_which_orders_were_selected() -> None:
    call = read_hook_call(order_call("order-select", "p1", {}, EMPTY_BUNDLE, selections=["MedicationRequest/1"]), SELECT)
    assert call.selections == ("MedicationRequest/1",)


@pytest.mark.parametrize("context", [{}, {"selections": None}])
def test_order_select_without_selections_means_all_of_them(context: Json) -> None:
    assert read_hook_call(order_call("order-select", "p1", {}, EMPTY_BUNDLE, **context), SELECT).selections is None


@pytest.mark.parametrize("patient_id", ["p1", "Patient/p1"])
def test_the_patient_may_be_named_with_or_without_the_type(patient_id: str) -> None:
    assert read_hook_call(hook_call(patient_id, {}), VIEW).patient_id == "p1"


def test_a_long_id_of_an_ehr_is_accepted() -> None:
    assert read_hook_call(hook_call("T" * 256, {}), VIEW).patient_id == "T" * 256


@pytest.mark.parametrize(
    "patient_id",
    [
        "",
        " ",
        "p 1",
        "p1\n",
        "Patient/",
        "Practitioner/1",
        "Patient/p1/x",
        "../p1",
        "p1?x=1",
        "é",
        "T" * 257,
        7,
        None,
        ["p1"],
        {},
    ],
)
def test_anything_that_is_no_fhir_id_is_refused_without_repeating_it(patient_id: Any) -> None:
    with pytest.raises(EnvelopeError, match=r"^context\.patientId must be a FHIR id .*\.$") as refusal:
        read_hook_call(hook_call(patient_id, {}), VIEW)
    assert "x=1" not in refusal.value.text


@pytest.mark.parametrize("body", [None, [], "text", 7, True])
def test_a_request_that_is_no_object_is_refused(body: Any) -> None:
    with pytest.raises(EnvelopeError, match="The request must be a JSON object with hook, hookInstance and context"):
        read_hook_call(body, VIEW)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (("hook",), "hook is missing."),
        (("hookInstance",), "hookInstance is missing."),
        (("context",), "context is missing."),
        (("context", "patientId"), "context.patientId is missing."),
        (("context", "draftOrders"), "context.draftOrders is missing."),
    ],
)
def test_what_is_missing_is_named(path: tuple[str, ...], said: str) -> None:
    call = without(order_call("order-sign", "p1", {}, EMPTY_BUNDLE), *path)
    with pytest.raises(EnvelopeError) as refusal:
        read_hook_call(call, SIGN)
    assert refusal.value.text == said


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hook": 1}, "hook must be the name of a hook."),
        ({"hook": ""}, "hook must be the name of a hook."),
        ({"hookInstance": "  "}, "hookInstance must be a string that is not empty, best a UUID."),
        ({"hookInstance": None}, "hookInstance must be a string that is not empty, best a UUID."),
        ({"context": []}, "context must be a JSON object."),
        ({"prefetch": []}, "prefetch must be a JSON object of FHIR resources by prefetch key."),
    ],
)
def test_what_is_of_the_wrong_kind_is_named_with_what_it_should_be(change: Json, said: str) -> None:
    with pytest.raises(EnvelopeError) as refusal:
        read_hook_call(hook_call("p1", {}) | change, VIEW)
    assert refusal.value.text == said


@pytest.mark.parametrize(
    ("context", "said"),
    [
        ({"draftOrders": [EMPTY_BUNDLE]}, "context.draftOrders must be a FHIR Bundle."),
        ({"draftOrders": None}, "context.draftOrders must be a FHIR Bundle."),
        ({"selections": "MedicationRequest/1"}, "context.selections must be a list of references such as MedicationRequest/1."),
        ({"selections": ["a", 1]}, "context.selections[1] must be a reference such as MedicationRequest/1."),
    ],
)
def test_the_context_of_an_order_hook_is_checked_likewise(context: Json, said: str) -> None:
    call = order_call("order-select", "p1", {}, EMPTY_BUNDLE)
    call["context"] |= context
    with pytest.raises(EnvelopeError) as refusal:
        read_hook_call(call, SELECT)
    assert refusal.value.text == said


def test_a_call_of_another_hook_is_refused() -> None:
    with pytest.raises(WrongHookError, match="this service answers order-sign"):
        read_hook_call(hook_call("p1", {}), SIGN)


def test_members_that_we_do_not_know_are_passed_over() -> None:
    call = hook_call("p1", {}, extension={"com.example": {"a": 1}}, fhirServer=None, fhirAuthorization={"scope": 7}, user="x")
    call["context"]["encounterId"] = None
    assert read_hook_call(call, VIEW).patient_id == "p1"


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
MEMBERS = st.sampled_from(["hook", "hookInstance", "context", "prefetch", "patientId", "draftOrders", "selections"])


@given(st.dictionaries(MEMBERS, JSON_VALUES), st.dictionaries(MEMBERS, JSON_VALUES), st.sampled_from(sorted(SERVICES)))
def test_whatever_is_sent_is_read_or_refused(top: Json, context: Json, service_id: str) -> None:
    service = SERVICES[service_id]
    body = order_call(service.hook, "p1", {}, EMPTY_BUNDLE)
    body["context"] |= context
    try:
        call = read_hook_call(body | top, service)
    except (EnvelopeError, WrongHookError):
        return
    assert call.patient_id

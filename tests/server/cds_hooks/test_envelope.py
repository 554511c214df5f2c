"""The CDS Hooks request around the data: what must be there, and what may be there."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from server.cds_hooks.envelope import read_hook_call
from server.cds_hooks.services import SERVICES
from server.contract.problems import first_problem
from server.contract.schema_files import validator
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


@pytest.mark.requirement("R-1", "R-2", "R-5", "R-6")
def test_a_call_is_read() -> None:
    call = read_hook_call(hook_call("p1", {"patient": None}), VIEW)
    assert (call.instance, call.patient_id, call.prefetch) == (INSTANCE, "p1", {"patient": None})
    assert (call.draft_orders, call.selections) == (None, None)


@pytest.mark.requirement("R-6", "X-9", "P-11")
@pytest.mark.parametrize("prefetch", [None, {}])
def test_a_call_may_come_without_prefetch(prefetch: Json | None) -> None:
    assert read_hook_call(hook_call("p1", prefetch), VIEW).prefetch == {}
    assert read_hook_call(hook_call("p1", prefetch) | {"prefetch": None}, VIEW).prefetch == {}


@pytest.mark.requirement("R-5")
@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_an_order_call_brings_its_drafts(hook: str) -> None:
    service = SERVICES[f"myositis-{hook}"]
    call = read_hook_call(order_call(hook, "p1", {}, EMPTY_BUNDLE, selections=["MedicationRequest/1"]), service)
    assert call.draft_orders == EMPTY_BUNDLE


def test_order_select_tells_which_orders_were_selected() -> None:
    call = read_hook_call(order_call("order-select", "p1", {}, EMPTY_BUNDLE, selections=["MedicationRequest/1"]), SELECT)
    assert call.selections == ("MedicationRequest/1",)


@pytest.mark.requirement("K-4")
@pytest.mark.parametrize("context", [{}, {"selections": None}])
def test_order_select_without_selections_means_all_of_them(context: Json) -> None:
    assert read_hook_call(order_call("order-select", "p1", {}, EMPTY_BUNDLE, **context), SELECT).selections is None


@pytest.mark.requirement("K-1")
@pytest.mark.parametrize("patient_id", ["p1", "Patient/p1"])
def test_the_patient_may_be_named_with_or_without_the_type(patient_id: str) -> None:
    assert read_hook_call(hook_call(patient_id, {}), VIEW).patient_id == "p1"


@pytest.mark.requirement("IN-12")
def test_a_long_id_of_an_ehr_is_accepted() -> None:
    assert read_hook_call(hook_call("T" * 256, {}), VIEW).patient_id == "T" * 256


@pytest.mark.requirement("IN-12", "K-1")
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


@pytest.mark.requirement("R-5")
@pytest.mark.parametrize("body", [None, [], "text", 7, True])
def test_a_request_that_is_no_object_is_refused(body: Any) -> None:
    with pytest.raises(EnvelopeError, match="The request must be a JSON object with hook, hookInstance and context"):
        read_hook_call(body, VIEW)


@pytest.mark.requirement("R-1", "R-2", "R-5")
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


@pytest.mark.requirement("R-1", "R-2", "R-5", "R-6")
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
        (
            {"selections": "MedicationRequest/1"},
            "context.selections must be a list of at most 1000 references such as MedicationRequest/1.",
        ),
        ({"selections": ["a", 1]}, "context.selections[1] must be a reference such as MedicationRequest/1."),
    ],
)
def test_the_context_of_an_order_hook_is_checked_likewise(context: Json, said: str) -> None:
    call = order_call("order-select", "p1", {}, EMPTY_BUNDLE)
    call["context"] |= context
    with pytest.raises(EnvelopeError) as refusal:
        read_hook_call(call, SELECT)
    assert refusal.value.text == said


@pytest.mark.requirement("R-1", "IN-11")
def test_a_call_of_another_hook_is_refused() -> None:
    with pytest.raises(WrongHookError, match="this service answers order-sign"):
        read_hook_call(hook_call("p1", {}), SIGN)


@pytest.mark.requirement("R-7", "R-8", "R-9", "V-1", "E-1")
def test_members_that_we_do_not_know_are_passed_over() -> None:
    call = hook_call("p1", {}, extension={"com.example": {"a": 1}}, fhirServer=None, fhirAuthorization={"scope": 7}, user="x")
    call["context"]["encounterId"] = None
    assert read_hook_call(call, VIEW).patient_id == "p1"


def test_another_hook_is_named_before_what_its_context_would_lack() -> None:
    with pytest.raises(WrongHookError):
        read_hook_call(hook_call("p1", {}, hook="encounter-start"), SELECT)


# --- with what the EHR may be called back

TOKEN = {"access_token": "opaque", "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.rs", "subject": "us"}


@pytest.mark.requirement("R-3", "R-4", "T-1", "T-2", "T-3", "T-4", "T-5", "X-8")
@pytest.mark.parametrize(
    "change",
    [
        pytest.param({}, id="as the standard has it"),
        pytest.param({"patient": "p1"}, id="confined to the patient"),
        pytest.param({"scope": "user/Patient.read patient/*.*"}, id="scopes of SMART 1"),
        pytest.param({"scope": "Observation.Read (Labs) (R4) Condition.Search (Problems) (R4)"}, id="scopes of a vendor"),
        pytest.param({"expires_in": None}, id="no end"),
        pytest.param({"expires_in": "300"}, id="seconds as text"),
        pytest.param({"token_type": None, "scope": None, "subject": None}, id="the token alone"),
        pytest.param({"com.example": {"a": 1}}, id="more than the standard has"),
    ],
)
def test_a_token_is_read_whatever_stands_beside_it(change: Json) -> None:
    sent = {name: value for name, value in (TOKEN | change).items() if value is not None}
    call = read_hook_call(hook_call("p1", {}, fhirServer="https://ehr.example/r4", fhirAuthorization=sent), VIEW)
    assert call.fhir_server == "https://ehr.example/r4"
    assert call.authorization is not None
    assert call.authorization.access_token == "opaque"
    assert call.authorization.patient == change.get("patient")


@pytest.mark.requirement("R-3", "R-4", "T-12")
@pytest.mark.parametrize("sent", [{}, {"fhirServer": "https://ehr.example"}, {"fhirAuthorization": {"scope": 7}}])
def test_a_call_without_a_usable_token_is_a_call_without_a_token(sent: Json) -> None:
    assert read_hook_call(hook_call("p1", {}, **sent), VIEW).authorization is None


@pytest.mark.requirement("T-7", "OUT-17", "LOG-01")
def test_a_token_does_not_show_in_the_representation_of_a_call() -> None:
    assert "opaque" not in repr(read_hook_call(hook_call("p1", {}, fhirAuthorization=TOKEN), VIEW))


# --- what the check costs


class Unread(dict[str, Any]):
    """FHIR data that must not be looked into; every way to look is an error."""

    def _refuse(self, *_: Any) -> Any:
        raise AssertionError("the check has descended into FHIR data")

    __getitem__ = __iter__ = __len__ = __contains__ = get = keys = values = items = _refuse  # type: ignore[assignment]


@pytest.mark.requirement("R-8")
@pytest.mark.parametrize("hook", ["patient-view", "order-select", "order-sign"])
def test_the_check_never_looks_into_prefetch_or_drafts_so_its_cost_does_not_grow_with_the_chart(hook: str) -> None:
    body = order_call(hook, "p1", {}, Unread(), selections=["MedicationRequest/1"])
    assert first_problem(validator(f"request-{hook}"), body | {"prefetch": Unread()}) is None


@pytest.mark.requirement("IN-09")
def test_a_list_that_is_too_long_is_not_looked_through() -> None:
    body = order_call("order-select", "p1", {}, EMPTY_BUNDLE, selections=[1] * 1001)
    (problem,) = validator("request-order-select").iter_errors(body)
    assert problem.validator == "maxItems"


@pytest.mark.parametrize("hook", ["patient-view", "order-select", "order-sign"])
def test_what_must_not_be_looked_into_would_notice(hook: str) -> None:
    with pytest.raises(AssertionError, match="descended"):
        list(Draft202012Validator({"additionalProperties": {"type": "object"}}).iter_errors(Unread(hook=hook)))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
MEMBERS = st.sampled_from(["hook", "hookInstance", "context", "prefetch", "patientId", "draftOrders", "selections"])


@pytest.mark.requirement("IN-10")
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

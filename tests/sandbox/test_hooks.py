"""The sandbox as a CDS Hooks client: what it sends, and what it says when the service fails."""

from typing import Any
from uuid import UUID

import jwt
import pytest

from sandbox.desk import DeskError, Switches
from sandbox.dialects import DIALECTS
from sandbox.errors import ServiceError
from sandbox.exchange import get_json, read_server_timing
from tests.sandbox.conftest import CARD, StubService
from tests.sandbox.desks import KEYS, PREGNANT, TIF1_GAMMA, URL, Ehr, open_ehr

CLINICIAN = "Practitioner/sandbox-clinician"


@pytest.fixture
def ehr(service: StubService) -> Ehr:
    """An EHR that knows the stand-in."""
    return open_ehr([service.url])


def trouble_of(ehr: Ehr) -> str:
    """What is said when a chart is opened and the service fails."""
    (answer,) = ehr.desk.open_chart(TIF1_GAMMA)
    assert answer.response is None
    assert answer.cards == ()
    return answer.trouble


# --- the request


def test_opening_a_chart_fires_patient_view_with_the_prefetch_that_was_asked_for(ehr: Ehr, service: StubService) -> None:
    ehr.desk.open_chart(TIF1_GAMMA)
    (sent,) = service.asked
    assert sent["hook"] == "patient-view"
    assert UUID(sent["hookInstance"]).version == 4
    assert sent["context"] == {"userId": CLINICIAN, "patientId": TIF1_GAMMA, "encounterId": f"{TIF1_GAMMA}.visit"}
    assert sent["fhirServer"] == f"{URL}/fhir"
    assert list(sent["prefetch"]) == ["patient", "conditions", "medications", "results", "immunizations"]
    assert sent["prefetch"]["patient"]["id"] == TIF1_GAMMA
    assert sent["prefetch"]["conditions"]["total"] == 6
    assert sent["prefetch"]["conditions"]["entry"][0]["fullUrl"].startswith(f"{URL}/fhir/Condition/")
    assert sent["prefetch"]["immunizations"]["total"] == 0


def test_each_event_is_an_instance_of_its_own_and_one_for_all_services(ehr: Ehr, service: StubService) -> None:
    service.discovery["services"] += [service.discovery["services"][0] | {"id": "another"}]
    for _ in range(2):
        ehr.desk.open_chart(TIF1_GAMMA)
    instances = [sent["hookInstance"] for sent in service.asked]
    assert len(instances) == 4
    assert instances[0] == instances[1] != instances[2] == instances[3]


def test_minimal_inputs_are_patient_conditions_and_medication_requests(ehr: Ehr, service: StubService) -> None:
    ehr.desk.switches = Switches(prefetch="minimal")
    (answer,) = ehr.desk.open_chart(TIF1_GAMMA)
    assert list(service.asked[0]["prefetch"]) == ["patient", "conditions", "medications"]
    assert answer.prefetch["results"] == "left out: Observation is switched off"


def test_without_prefetch_the_member_is_left_out(ehr: Ehr, service: StubService) -> None:
    ehr.desk.switches = Switches(prefetch="none")
    ehr.desk.open_chart(TIF1_GAMMA)
    assert "prefetch" not in service.asked[0]


def test_all_tokens_of_2_0_1_are_filled_in_and_others_leave_the_key_out(ehr: Ehr, service: StubService) -> None:
    service.discovery["services"][0]["prefetch"] = {
        "user": "{{context.userId}}",
        "practitioner": "Practitioner/{{userPractitionerId}}",
        "visit": "Encounter/{{ context.encounterId }}",
        "role": "PractitionerRole/{{userPractitionerRoleId}}",
        "dated": "Observation?patient={{context.patientId}}&date=ge{{today()}}",
        "nested": "Patient/{{context.draftOrders.entry}}",
        "gone": "Condition/nothing",
        "coded": "Observation?patient={{context.patientId}}&value-quantity=1",
    }
    (answer,) = ehr.desk.open_chart(TIF1_GAMMA)
    prefetch = service.asked[0]["prefetch"]
    assert {key: value["resourceType"] for key, value in prefetch.items()} == {
        "user": "Practitioner",
        "practitioner": "Practitioner",
        "visit": "Encounter",
    }
    assert prefetch["user"]["id"] == "sandbox-clinician"
    assert answer.prefetch == {
        "user": "sent",
        "practitioner": "sent",
        "visit": "sent",
        "role": "left out: prefetch token userPractitionerRoleId is not known",
        "dated": "left out: prefetch token today() is not known",
        "nested": "left out: prefetch token context.draftOrders.entry is not known",
        "gone": "left out: no such resource",
        "coded": "left out: search parameter value-quantity is not supported",
    }


def test_the_token_for_calling_back_is_for_this_patient_and_ends_with_the_answer(ehr: Ehr, service: StubService) -> None:
    granted: list[Any] = []
    hook_token = ehr.authorization.hook_token
    ehr.authorization.hook_token = lambda patient_id: granted.append(token := hook_token(patient_id)) or token  # type: ignore[method-assign, func-returns-value]
    (answer,) = ehr.desk.open_chart(TIF1_GAMMA)
    sent = service.asked[0]["fhirAuthorization"]
    assert sent == {
        "access_token": granted[0].access_token,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": granted[0].scope,
        "subject": "myositis-cds",
        "patient": TIF1_GAMMA,
    }
    assert ehr.authorization.access(sent["access_token"]) is None
    shown = answer.request["fhirAuthorization"]["access_token"]
    assert shown.endswith("…")
    assert sent["access_token"] not in shown


def test_the_switch_keeps_the_token_back(ehr: Ehr, service: StubService) -> None:
    ehr.desk.switches = Switches(token=False)
    ehr.desk.open_chart(TIF1_GAMMA)
    assert "fhirAuthorization" not in service.asked[0]
    assert "fhirServer" in service.asked[0]


def test_the_switch_sends_another_patients_data_under_this_patients_id(ehr: Ehr, service: StubService) -> None:
    ehr.desk.switches = Switches(wrong_patient=True)
    ehr.desk.open_chart(TIF1_GAMMA)
    (sent,) = service.asked
    assert sent["context"]["patientId"] == TIF1_GAMMA
    assert sent["prefetch"]["patient"]["id"] != TIF1_GAMMA
    assert sent["prefetch"]["conditions"]["entry"]


def test_drafting_tells_which_drafts_were_chosen_and_all_that_there_are(ehr: Ehr, service: StubService) -> None:
    service.offer("order-select", "order-sign")
    first, second = (ehr.desk.draft(PREGNANT, key) for key in ("methotrexate_2_5", "hrct_chest"))
    ehr.desk.select(PREGNANT, [second["id"]])
    ehr.desk.review(PREGNANT)
    selecting, signing = service.asked
    assert selecting["hook"] == "order-select"
    assert selecting["context"]["selections"] == [f"ServiceRequest/{second['id']}"]
    assert selecting["context"]["draftOrders"] == {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": first}, {"resource": second}],
    }
    assert signing["hook"] == "order-sign"
    assert signing["context"] == {name: value for name, value in selecting["context"].items() if name != "selections"}


# --- the signature


def token_of(service: StubService, number: int = 0) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of the token of a call, its signature verified with the published keys."""
    text = service.headers[number]["Authorization"].removeprefix("Bearer ")
    header = jwt.get_unverified_header(text)
    (key,) = [one for one in jwt.PyJWKSet.from_dict(KEYS.jwks()).keys if one.key_id == header["kid"]]
    url = f"{service.url}{service.paths[number]}"
    return header, jwt.decode(text, key.key, algorithms=[header["alg"]], audience=url, options={"verify_nbf": False})


def test_every_call_is_signed_and_for_the_url_that_is_called(ehr: Ehr, service: StubService) -> None:
    for _ in range(2):
        ehr.desk.open_chart(TIF1_GAMMA)
    header, claims = token_of(service)
    assert header == {"typ": "JWT", "alg": "ES384", "kid": KEYS.key_id("ES384"), "jku": f"{URL}/.well-known/jwks.json"}
    assert claims.keys() == {"iss", "aud", "iat", "exp", "jti"}
    assert claims["iss"] == URL
    assert claims["exp"] - claims["iat"] == 300
    assert claims["jti"] != token_of(service, 1)[1]["jti"]


def test_like_epic_it_signs_with_rs384_for_a_quarter_of_an_hour(ehr: Ehr, service: StubService) -> None:
    ehr.desk.switches = Switches(dialect="epic")
    ehr.desk.open_chart(TIF1_GAMMA)
    header, claims = token_of(service)
    assert header["alg"] == "RS384"
    assert claims["exp"] - claims["iat"] == 900
    assert claims["iat"] - claims["nbf"] == 300
    assert claims["sub"] == claims["iss"] == f"{URL}/epic"
    (sent,) = service.asked
    assert sent["context"]["userId"].startswith("PractitionerRole/")
    assert sent["extension"] == {"com.epic.cdshooks.request.cds-hooks-specification-version": "1.1"}


def test_each_dialect_is_a_client_of_its_own_and_the_token_is_never_shown_whole(ehr: Ehr, service: StubService) -> None:
    shown = []
    for name in DIALECTS:
        ehr.desk.switches = Switches(dialect=name)
        shown += [answer.headers["Authorization"] for answer in ehr.desk.open_chart(TIF1_GAMMA)]
    issuers = [token_of(service, number)[1]["iss"] for number in range(len(DIALECTS))]
    assert issuers == [URL if name == "standard" else f"{URL}/{name}" for name in DIALECTS]
    assert all(len(text) < 24 for text in shown)


# --- how dialects differ


@pytest.mark.parametrize("dialect", DIALECTS)
def test_that_nothing_was_found_is_said_as_the_dialect_says_it(ehr: Ehr, service: StubService, dialect: str) -> None:
    ehr.desk.switches = Switches(dialect=dialect)
    (answer,) = ehr.desk.open_chart(TIF1_GAMMA)
    assert answer.prefetch["immunizations"] == "empty"
    sent = service.asked[0]["prefetch"]["immunizations"]
    if dialect in ("1.0", "1.1"):
        assert sent is None
    elif dialect == "epic":
        (entry,) = sent["entry"]
        assert (sent["total"], entry["search"], entry["resource"]["issue"][0]["severity"]) == (0, {"mode": "outcome"}, "warning")
    else:
        assert sent == {"resourceType": "Bundle", "type": "searchset", "total": 0}


def test_like_the_public_sandbox_it_doubles_the_slash_and_names_no_visit(ehr: Ehr, service: StubService) -> None:
    ehr.desk.switches = Switches(dialect="sandbox")
    ehr.desk.open_chart(TIF1_GAMMA)
    assert service.paths == ["/cds-services//myositis-patient-view"]
    assert "encounterId" not in service.asked[0]["context"]
    assert token_of(service)[1]["aud"] == f"{service.url}/cds-services//myositis-patient-view"


def test_like_oracle_it_fires_patient_view_only(ehr: Ehr, service: StubService) -> None:
    service.offer("patient-view", "order-select")
    ehr.desk.switches = Switches(dialect="oracle")
    draft = ehr.desk.draft(PREGNANT, "methotrexate_2_5")
    assert ehr.desk.select(PREGNANT, [draft["id"]]) == []
    assert len(ehr.desk.open_chart(PREGNANT)) == 1


# --- the answer


def test_the_cards_come_back_with_the_time_they_took(ehr: Ehr, service: StubService) -> None:
    service.timing = "trust;dur=0.5, store;desc=x;dur=12, cards"
    (answer,) = ehr.desk.open_chart(TIF1_GAMMA)
    assert [card.summary for card in answer.cards] == ["No lung function test on record"]
    assert answer.milliseconds > 0
    assert answer.server_timing == {"trust": 0.5, "store": 12.0}
    assert answer.response == service.answer


@pytest.mark.parametrize(
    ("header", "read"),
    [
        ("", {}),
        ("a", {}),
        ("a;dur=1", {"a": 1.0}),
        ("a;dur=x, b;dur=2.5", {"b": 2.5}),
        ('a;desc="x, y";dur="3"', {"a": 3.0}),
        ("a;dur=1.2.3", {}),
    ],
)
def test_a_server_timing_header_is_read_as_far_as_it_has_durations(header: str, read: dict[str, float]) -> None:
    assert read_server_timing(header) == read


def test_a_service_that_is_down_is_named() -> None:
    assert "cannot be reached at http://127.0.0.1:9/cds-services" in trouble_of(open_ehr(["http://127.0.0.1:9"]))


@pytest.mark.parametrize("url", ["http://a..b/", f"http://{'a' * 64}.example/", "http://[::1/"])
def test_an_address_that_the_library_refuses_is_one_that_cannot_be_reached(url: str) -> None:
    with pytest.raises(ServiceError, match="cannot be reached"):
        get_json(url, "token")


def test_a_service_that_fails_takes_nothing_from_the_others(service: StubService) -> None:
    down, sound = open_ehr(["http://127.0.0.1:9", service.url]).desk.open_chart(TIF1_GAMMA)
    assert down.trouble
    assert len(sound.cards) == 1


def test_a_slow_service_is_not_waited_for_forever(ehr: Ehr, service: StubService, monkeypatch: pytest.MonkeyPatch) -> None:
    service.seconds_to_think = 0.3
    monkeypatch.setattr("sandbox.exchange.TIMEOUT_SECONDS", 0.1)
    assert "did not answer in time" in trouble_of(ehr)


def test_a_refusal_is_shown_in_the_words_of_its_outcome(ehr: Ehr, service: StubService) -> None:
    service.status = 412
    service.answer = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "required", "diagnostics": "prefetch key patient is missing"}],
    }
    assert trouble_of(ehr) == "The service refused the call (412). prefetch key patient is missing"


@pytest.mark.parametrize("said", [{"message": "busy"}, {"issue": [{"details": "text"}, {"diagnostics": 1}]}])
def test_a_refusal_without_words_is_shown_by_its_status(ehr: Ehr, service: StubService, said: object) -> None:
    service.status, service.answer = 503, said
    assert trouble_of(ehr) == "The service refused the call (503)."


def test_a_redirect_is_not_followed(ehr: Ehr, service: StubService) -> None:
    service.status, service.answer = 307, {}
    assert trouble_of(ehr) == "The service refused the call (307)."


@pytest.mark.parametrize("answer", [{}, [], {"cards": "none"}, {"cards": {}}])
def test_an_answer_that_is_not_cds_hooks_is_said_to_be_none(ehr: Ehr, service: StubService, answer: object) -> None:
    service.answer = answer
    assert "no list of cards" in trouble_of(ehr)


def test_an_answer_that_is_not_json_is_said_to_be_none(ehr: Ehr, service: StubService) -> None:
    service.answer = b"<html>"
    assert "answered 200 without JSON that can be read" in trouble_of(ehr)


# --- what a service suggests


def suggest(service: StubService, *actions: Any) -> None:
    """The stand-in answers with a card of one suggestion."""
    suggestion = {"uuid": "s", "label": "Do it", "actions": [{"description": "", **action} for action in actions]}
    service.answer = {"cards": [CARD | {"suggestions": [suggestion]}]}


def test_orders_of_which_the_chart_takes_one_only_are_none(ehr: Ehr, service: StubService) -> None:
    order = {"resourceType": "ServiceRequest", "code": {"text": "test"}}
    suggest(service, *({"type": "create", "resource": order | more} for more in ({}, {"occurrencePeriod": {"start": "soon"}})))
    (answer,) = ehr.desk.open_chart(TIF1_GAMMA)
    before = ehr.orders(TIF1_GAMMA)
    with pytest.raises(DeskError, match="so nothing was done"):
        ehr.desk.accept(TIF1_GAMMA, answer.id, 0, 0)
    assert ehr.orders(TIF1_GAMMA) == before
    assert service.feedback == []


def test_feedback_that_cannot_be_delivered_is_said_with_what_was_done(
    ehr: Ehr, service: StubService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.feedback.PAUSES", (0.01,))
    suggest(service, {"type": "create", "resource": {"resourceType": "ServiceRequest", "code": {"text": "test"}}})
    (answer,) = ehr.desk.open_chart(TIF1_GAMMA)
    service.status = 503
    said = ehr.desk.accept(TIF1_GAMMA, answer.id, 0, 0)
    assert said == "Ordered: test. The feedback could not be delivered. The service refused the call (503)."
    assert len(service.feedback) == 2


@pytest.mark.parametrize(
    "card", [{}, CARD | {"suggestions": "abc"}, CARD | {"selectionBehavior": "all"}, CARD | {"indicator": "hard-stop"}]
)
def test_a_card_that_breaks_the_rules_is_shown_and_nothing_in_it_applied(ehr: Ehr, service: StubService, card: Any) -> None:
    service.answer = {"cards": [card]}
    (answer,) = ehr.desk.open_chart(TIF1_GAMMA)
    (shown,) = answer.cards
    with pytest.raises(DeskError, match="so nothing in it is applied"):
        ehr.desk.accept(TIF1_GAMMA, answer.id, 0, 0)
    if shown.uuid:
        ehr.desk.override(TIF1_GAMMA, answer.id, 0, "")
        assert [item["card"] for item in service.feedback] == [CARD["uuid"]]
    else:
        with pytest.raises(DeskError, match="nothing to tell the service"):
            ehr.desk.override(TIF1_GAMMA, answer.id, 0, "")


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://x", "/here", "http://", "http://a b", "http://[x", "http://a..b"])
def test_a_link_that_leads_to_no_web_page_is_not_opened(ehr: Ehr, service: StubService, url: object) -> None:
    service.answer = {"cards": [CARD | {"links": [{"label": "x", "url": url, "type": "smart"}]}]}
    (answer,) = ehr.desk.open_chart(TIF1_GAMMA)
    with pytest.raises(DeskError, match="does not lead to a web page"):
        ehr.desk.launch_url(TIF1_GAMMA, answer.id, 0, 0)


def test_a_launch_keeps_the_query_of_the_link_and_like_oracle_brings_no_context(ehr: Ehr, service: StubService) -> None:
    link = {"label": "x", "url": "https://app.example/go?a=1#part", "type": "smart", "appContext": "from the card"}
    service.answer = {"cards": [CARD | {"links": [link]}]}
    for dialect, context in (("standard", "from the card"), ("oracle", None)):
        ehr.desk.switches = Switches(dialect=dialect)
        (answer,) = ehr.desk.open_chart(TIF1_GAMMA)
        url = ehr.desk.launch_url(TIF1_GAMMA, answer.id, 0, 0)
        assert url.startswith("https://app.example/go?a=1&iss=http%3A%2F%2F127.0.0.1%3A8001%2Ffhir&launch=")
        assert url.endswith("#part")
        launch = ehr.authorization.memory.launch(url.partition("launch=")[2].removesuffix("#part"))
        assert launch
        assert launch.app_context == context


def test_whoever_is_not_here_and_whatever_is_not_on_the_desk_is_said(ehr: Ehr) -> None:
    desk = ehr.desk

    def sign(patient_id: str) -> object:
        return desk.sign(patient_id, expected="")

    for ask in (desk.open_chart, desk.answers, desk.drafts, desk.review, sign):
        with pytest.raises(DeskError, match="no such patient"):
            ask("nobody")
    for ask in (desk.review, sign):
        with pytest.raises(DeskError, match="no draft on the order pad"):
            ask(TIF1_GAMMA)
    with pytest.raises(DeskError, match="not on the order pad any more"):
        desk.discard(TIF1_GAMMA, "draft-1")
    with pytest.raises(DeskError, match="No draft was chosen"):
        desk.select(TIF1_GAMMA, [])
    with pytest.raises(DeskError, match="has no such position"):
        desk.switches = Switches(dialect="latin")

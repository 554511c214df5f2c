"""What CDS Hooks and Inferno ask of cards, held against every card that the synthetic patients of the sandbox get."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from fhir.resources.R4B import get_fhir_model_class
from markdown_it import MarkdownIt

from cards.knowledge import knowledge
from server.application import create_app
from server.json_input import parse_json
from tests.server.answers import empty_members
from tests.server.charts import Json, chart, hook_call, order_call, prefetch_of, resources, slugs
from tests.server.conftest import CONFIG

OVERRIDE_REASONS = {
    "cds-not-applicable", "cds-suboptimal-context", "recipient-disagrees-evidence", "recipient-concerns-outcomes",
    "does-not-align-preferences", "not-convenient-feasible", "action-completed", "patient-contraindication", "patient-refuses",
    "too-costly-uncovered", "service-not-available", "recipient-does-not-understand",
}  # fmt: skip
"""HL7/cds-hooks, value set of clinical override reasons."""

TOPICS = {
    "urgentReferral", "drugSafety", "nextLineTherapy", "lungFunction", "tumourScreening", "diagnosticWorkup", "diseaseMonitoring",
    "supportiveCare", "pregnancyCare", "specialistReferral",
}  # fmt: skip
"""Written out again, so that a renamed one is noticed: EHRs remember by them what was overridden."""


DAILY = [{"timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}}}]


def draft(slug: str) -> Json:
    """Methotrexate, about which every patient with myositis gets a reminder; every day, a warning."""
    return {
        "resourceType": "MedicationRequest",
        "id": "d1",
        "meta": {"versionId": "7"},
        "status": "draft",
        "intent": "order",
        "subject": {"reference": f"Patient/{slug}"},
        "medicationCodeableConcept": {"coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "6851"}]},
    }


def calls() -> Iterator[Json]:
    for slug in slugs():
        prefetch = prefetch_of(chart(slug))
        yield hook_call(slug, prefetch)
        for hook, dosage in (("order-select", {}), ("order-sign", {"dosageInstruction": DAILY})):
            bundle = {"resourceType": "Bundle", "entry": [{"resource": draft(slug) | dosage}]}
            yield order_call(hook, slug, prefetch, bundle)


@cache
def answers() -> tuple[tuple[Json, bytes], ...]:
    """Every call with the body of its answer."""
    client = create_app(CONFIG).test_client()
    sent = [(call, client.post(f"/cds-services/myositis-{call['hook']}", json=call)) for call in calls()]
    assert {response.status_code for _, response in sent} == {200}
    return tuple((call, response.get_data()) for call, response in sent)


@cache
def cards() -> tuple[Json, ...]:
    return tuple(card for _, body in answers() for card in parse_json(body)["cards"])


def members(name: str) -> list[Json]:
    """All links, suggestions or override reasons."""
    return [item for card in cards() for item in card.get(name, ())]


def actions(kind: str | None = None) -> list[Json]:
    return [a for suggestion in members("suggestions") for a in suggestion["actions"] if kind in (None, a["type"])]


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from texts(item)


def names(value: Any) -> Iterator[str]:
    """Every member name at every level."""
    if isinstance(value, dict):
        yield from value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from names(item)


def test_there_is_enough_to_judge_by() -> None:
    assert len(cards()) > 100
    assert {card["indicator"] for card in cards()} == {"info", "warning", "critical"}
    assert all(actions(kind) for kind in ("create", "update", "delete"))
    assert members("links")


# --- the answer


@pytest.mark.requirement("C-1", "C-35", "C-36")
def test_an_answer_is_an_object_with_cards_and_nothing_else() -> None:
    assert all(set(parse_json(body)) == {"cards"} for _, body in answers())


@pytest.mark.requirement("G-4")
def test_an_answer_is_strict_json() -> None:
    for _, body in answers():
        assert parse_json(body) is not None
        assert not re.search(rb",\s*[\]}]", body.replace(b'\\"', b""))


@pytest.mark.requirement("G-2", "G-3", "CARD-05", "I-3.b")
def test_nothing_optional_is_there_and_empty() -> None:
    assert list(empty_members(list(cards()))) == []


@pytest.mark.requirement("G-6")
def test_no_text_is_blank() -> None:
    assert all(text.strip() for text in texts(list(cards())))


@pytest.mark.requirement("C-51", "C-50", "CARD-09")
def test_the_same_call_gets_the_same_answer_to_the_byte() -> None:
    client = create_app(CONFIG).test_client()
    for call, body in answers()[:20]:
        assert client.post(f"/cds-services/myositis-{call['hook']}", json=call).get_data() == body


# --- cards


@pytest.mark.requirement("C-3", "X-25", "I-2.4")
def test_a_card_has_a_uuid_of_its_own_within_its_answer() -> None:
    for _, body in answers():
        uuids = [UUID(card["uuid"]) for card in parse_json(body)["cards"]]
        assert len(set(uuids)) == len(uuids)


@pytest.mark.requirement("C-4", "CARD-04", "I-2.4")
def test_a_summary_is_one_line_of_fewer_than_140_characters_however_they_are_counted() -> None:
    for card in cards():
        assert len(card["summary"]) < 140
        assert len(card["summary"].encode("utf-16-le")) // 2 < 140
        assert "\n" not in card["summary"]


@pytest.mark.requirement("C-5", "X-22", "CARD-01", "CARD-02")
def test_a_detail_is_markdown_in_which_a_renderer_with_html_switched_on_finds_none() -> None:
    markdown = MarkdownIt("gfm-like", {"html": True, "linkify": False})
    for card in cards():
        tokens = markdown.parse(card["detail"])
        inline = [child for token in tokens for child in token.children or ()]
        assert {token.type for token in (*tokens, *inline)}.isdisjoint({"html_block", "html_inline", "image"})


@pytest.mark.requirement("C-6", "X-21", "I-2.4")
def test_the_indicator_is_one_of_three_and_critical_comes_first() -> None:
    order = ["critical", "warning", "info"]
    for _, body in answers():
        places = [order.index(card["indicator"]) for card in parse_json(body)["cards"]]
        assert places == sorted(places)


@pytest.mark.requirement("C-7", "C-8", "I-2.4")
def test_the_source_has_a_label_and_an_absolute_address_if_any() -> None:
    for card in cards():
        assert card["source"]["label"]
        assert "icon" not in card["source"]
        if url := card["source"].get("url"):
            assert urlsplit(url).scheme == "https"
            assert urlsplit(url).hostname


@pytest.mark.requirement("C-10", "I-2.4")
def test_the_topic_has_system_and_code_and_the_code_is_one_of_ten_that_epic_can_remember() -> None:
    for card in cards():
        topic = card["source"]["topic"]
        assert topic["system"] == "https://myositis-cds.example/fhir/CodeSystem/card-topic"
        assert topic["code"] in TOPICS
        assert re.fullmatch(r"[A-Za-z0-9]{1,100}", topic["code"])


@pytest.mark.requirement("C-10")
def test_the_same_advice_has_the_same_topic() -> None:
    by_statement: dict[str, set[str]] = {}
    for card in cards():
        for statement in card["extension"]["org.myositis-cds.explanation"]["recommendations"]:
            by_statement.setdefault(statement, set()).add(card["source"]["topic"]["code"])
    assert {statement: found for statement, found in by_statement.items() if len(found) > 1} == {}


@pytest.mark.requirement("C-13", "C-14", "I-3.b")
def test_an_override_reason_is_a_code_of_hl7_with_its_display() -> None:
    for reason in members("overrideReasons"):
        assert set(reason) == {"system", "code", "display"}
        assert reason["system"] == "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
        assert reason["code"] in OVERRIDE_REASONS


@pytest.mark.requirement("C-16", "E-1", "E-2", "E-3", "E-4")
def test_the_extension_is_an_object_under_a_reversed_domain_name_and_says_why_the_card_is_there() -> None:
    for card in cards():
        assert isinstance(card["extension"], dict)
        assert all(re.fullmatch(r"[a-z]+(\.[a-z][a-z-]*)+", name) for name in card["extension"])
        explanation = card["extension"]["org.myositis-cds.explanation"]
        assert explanation["recommendations"]
        assert explanation["knowledgeVersion"] == knowledge().version


@pytest.mark.requirement("SAF-09")
def test_a_measured_value_is_shown_with_the_year_in_which_it_was_measured() -> None:
    quoted = 0
    for call, body in answers():
        measured = {
            f"Observation/{one['id']}": one for one in resources(chart(call["context"]["patientId"])) if "valueQuantity" in one
        }
        for card in parse_json(body)["cards"]:
            for reason in card["extension"]["org.myositis-cds.explanation"].get("because", ()):
                if value := measured.get(reason.get("reference", "")):
                    assert value["effectiveDateTime"][:4] in reason["text"]
                    quoted += 1
    assert quoted


# --- suggestions and actions


@pytest.mark.requirement("C-11", "C-20", "C-21", "X-23", "X-25", "I-3.b")
def test_a_suggestion_has_a_label_and_a_uuid() -> None:
    assert all(suggestion["label"] and UUID(suggestion["uuid"]) for suggestion in members("suggestions"))


@pytest.mark.requirement("C-12", "C-22", "I-3.b")
def test_how_to_choose_is_said_with_suggestions_and_only_with_them() -> None:
    for card in cards():
        assert card.get("selectionBehavior") == ("any" if "suggestions" in card else None)
        recommended = [one for one in card.get("suggestions", ()) if one.get("isRecommended")]
        assert len(recommended) <= 1 or card["selectionBehavior"] == "any"


@pytest.mark.requirement("C-23", "I-3.b")
def test_a_suggestion_has_exactly_one_action() -> None:
    assert {len(suggestion["actions"]) for suggestion in members("suggestions")} == {1}


@pytest.mark.requirement("C-24", "C-42", "D-9")
def test_nothing_is_sent_that_only_a_later_version_knows() -> None:
    later = {"actionSelectionBehavior", "autolaunchable", "hookVersion"}
    assert later.isdisjoint(names(list(cards())))


@pytest.mark.requirement("C-30", "C-31", "I-2.4")
def test_an_action_has_a_type_and_a_description() -> None:
    assert all(action["type"] in ("create", "update", "delete") and action["description"] for action in actions())


@pytest.mark.requirement("C-32", "C-37", "G-5", "CARD-08", "I-3.i")
def test_a_created_resource_is_a_valid_r4_draft_as_an_object_and_of_this_patient() -> None:
    for call, body in answers():
        subject = {"reference": f"Patient/{call['context']['patientId']}"}
        for card in parse_json(body)["cards"]:
            for action in (a for s in card.get("suggestions", ()) for a in s["actions"] if a["type"] == "create"):
                resource = action["resource"]
                get_fhir_model_class(resource["resourceType"]).model_validate(resource)
                assert (resource["status"], resource["intent"], resource["subject"]) == ("draft", "proposal", subject)


@pytest.mark.requirement("C-32", "C-34", "I-3.h")
def test_an_update_brings_the_draft_of_the_call_whole_with_its_version() -> None:
    for action in actions("update"):
        before = draft(action["resource"]["subject"]["reference"].removeprefix("Patient/"))
        assert before.items() <= action["resource"].items()
        assert action["resource"]["meta"]["versionId"] == "7"


@pytest.mark.requirement("C-33", "I-3.h")
def test_a_delete_names_a_draft_of_the_call_and_brings_no_resource() -> None:
    for action in actions("delete"):
        assert action["resourceId"] == "MedicationRequest/d1"
        assert "resource" not in action


# --- links


@pytest.mark.requirement("C-15", "C-40", "C-41", "I-3.b", "I-3.c")
def test_a_link_has_label_url_and_type_and_is_absolute() -> None:
    for link in members("links"):
        assert set(link) == {"label", "url", "type"}
        assert link["type"] == "absolute"
        assert urlsplit(link["url"]).scheme in ("http", "https")


@pytest.mark.requirement("C-43", "C-44", "CARD-06", "CARD-07")
def test_links_lead_to_the_sources_of_the_knowledge_and_say_nothing_about_the_patient() -> None:
    known = {source.url for source in knowledge().sources.values()}
    for link in members("links"):
        assert link["url"] in known
        assert not re.search(r"[?&](launch|iss)=", link["url"])

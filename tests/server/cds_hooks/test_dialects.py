"""Dialects: each switch of the table by one example, and what holds for every card in every dialect."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Request
from flask.testing import FlaskClient

from cards.markdown import escape
from server.application import create_app
from server.cds_hooks.dialect_table import DIALECTS, SWITCHES, TABLE, DialectError, load_dialects
from server.cds_hooks.dialects import in_dialect, is_registered
from server.evaluation import Drafts, evaluate
from server.runtime import open_runtime
from server.trust.clients import Caller, Client
from server.trust.gate import Gate
from tests.server.answers import check_schema, empty_members
from tests.server.charts import AS_OF, INSTANCE, Json, chart, copied, order_call, prefetch_of, slugs
from tests.server.conftest import CONFIG

RXNORM, SNOMED = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://snomed.info/sct"
RXNORM_OID = "urn:oid:2.16.840.1.113883.6.88"
PREFERENCE_LIST = "urn:com.epic.cdshooks.action.code.system.preference-list-item"


def create(label: str, system: str = RXNORM, kind: str = "MedicationRequest") -> Json:
    coded = "medicationCodeableConcept" if kind == "MedicationRequest" else "code"
    order = {"resourceType": kind, "status": "draft", coded: {"coding": [{"system": system, "code": "1"}], "text": "x"}}
    return {"label": label, "uuid": label, "actions": [{"type": "create", "description": "an order", "resource": order}]}


def update(label: str) -> Json:
    order = {"resourceType": "MedicationRequest", "id": "1"}
    return {"label": label, "uuid": label, "actions": [{"type": "update", "description": "a note", "resource": order}]}


def delete(label: str) -> Json:
    action = {"type": "delete", "description": "a removal", "resourceId": "MedicationRequest/1"}
    return {"label": label, "uuid": label, "isRecommended": True, "actions": [action]}


def card(*suggestions: Json, **more: Any) -> Json:
    topic = {"system": "https://myositis-cds.example/fhir/CodeSystem/card-topic", "code": "drugSafety", "display": "Drug safety"}
    made: Json = {
        "uuid": "3d2c9f6e-8d39-4a3f-8f0e-0b8f6c0f5a11",
        "summary": "A summary",
        "detail": "**Sources**\n\n- A source, 2020",
        "indicator": "info",
        "source": {"label": "A source", "url": "https://doi.org/10.1/a", "topic": topic},
        "overrideReasons": [{"system": "s", "code": "c", "display": "d"}],
    }
    if suggestions:
        made |= {"suggestions": list(suggestions), "selectionBehavior": "any"}
    return made | more


def absolute(url: str) -> Json:
    return {"label": "a", "url": url, "type": "absolute"}


def smart(url: str = "https://app.example/launch") -> Json:
    return {"label": "s", "url": url, "type": "smart", "appContext": "opaque", "autolaunchable": True}


def said(before: Json, dialect: str, links: tuple[str, ...] | None = None) -> Json:
    (after,) = in_dialect([before], Client("here", dialect=dialect, links=links))
    return after


def labels(one: Json) -> list[str]:
    return [suggestion["label"] for suggestion in one.get("suggestions", ())]


# --- one example to each switch ---------------------------------------------------------------------------------------------


@pytest.mark.requirement("C-12")
def test_in_cds_hooks_1_0_one_suggestion_of_several_is_taken() -> None:
    assert said(card(create("a"), create("b")), "1.0")["selectionBehavior"] == "at-most-one"
    assert said(card(create("a"), create("b")), "epic")["selectionBehavior"] == "any"


@pytest.mark.requirement("C-3", "C-10", "C-13", "C-22", "C-41", "C-42")
def test_members_that_the_reader_does_not_know_are_left_out() -> None:
    before = card(delete("a"), links=[absolute("https://doi.org/1"), smart()])
    old = said(before, "1.0")
    assert not {"uuid", "overrideReasons"} & old.keys()
    assert "topic" not in old["source"]
    assert "isRecommended" not in old["suggestions"][0]
    assert "autolaunchable" not in old["links"][1]
    oracle = said(before, "oracle", ("https://app.example/",))
    assert oracle["links"] == [{"label": "s", "url": "https://app.example/launch", "type": "smart", "autolaunchable": True}]


@pytest.mark.requirement("C-30")
def test_an_action_of_a_kind_that_the_reader_does_not_apply_is_not_suggested() -> None:
    assert labels(said(card(delete("a"), update("b")), "epic")) == ["a"]
    assert labels(said(card(delete("a"), update("b")), "standard")) == ["a", "b"]


@pytest.mark.requirement("C-23")
def test_a_suggestion_with_more_actions_than_the_reader_takes_is_left_out() -> None:
    two = create("two")
    two["actions"] *= 2
    assert labels(said(card(create("one"), two), "epic")) == ["one"]
    assert labels(said(card(create("one"), two), "standard")) == ["one", "two"]


@pytest.mark.requirement("C-33")
def test_a_removal_names_its_draft_where_the_reader_looks_for_it() -> None:
    (old,) = said(card(delete("a")), "1.1")["suggestions"][0]["actions"]
    assert old == {"type": "delete", "description": "a removal", "resource": "MedicationRequest/1"}
    (new,) = said(card(delete("a")), "standard")["suggestions"][0]["actions"]
    assert new == {"type": "delete", "description": "a removal", "resourceId": "MedicationRequest/1"}


@pytest.mark.requirement("C-32")
def test_an_order_without_a_code_that_the_reader_knows_is_not_suggested() -> None:
    offered = [
        create("rxnorm"),
        create("snomed", SNOMED),
        create("test", SNOMED, "ServiceRequest"),
        create("mapped", PREFERENCE_LIST, "ServiceRequest"),
    ]
    assert labels(said(card(*offered), "epic")) == ["rxnorm", "mapped"]
    assert labels(said(card(*offered), "oracle")) == ["rxnorm", "snomed", "test", "mapped"]


@pytest.mark.requirement("C-32")
def test_code_systems_are_spelt_as_the_reader_spells_them() -> None:
    order = said(card(create("a")), "epic")["suggestions"][0]["actions"][0]["resource"]
    assert order["medicationCodeableConcept"]["coding"] == [{"system": RXNORM_OID, "code": "1"}]


@pytest.mark.requirement("C-31")
def test_the_label_stands_in_the_action_where_only_that_is_shown() -> None:
    assert said(card(create("Draft x")), "epic")["suggestions"][0]["actions"][0]["description"] == "Draft x"
    assert said(card(create("Draft x")), "standard")["suggestions"][0]["actions"][0]["description"] == "an order"


@pytest.mark.requirement("C-10")
def test_topic_codes_are_letters_and_digits_where_the_reader_needs_that() -> None:
    odd = card(source={"label": "A", "topic": {"system": "s", "code": "my-topic_1" + "x" * 200, "display": "d"}})
    code = said(odd, "epic")["source"]["topic"]["code"]
    assert code == "mytopic1" + "x" * 92
    assert said(odd, "standard")["source"]["topic"]["code"].startswith("my-topic_1")


@pytest.mark.requirement("C-43", "CARD-07")
def test_links_that_the_reader_would_drop_are_not_sent() -> None:
    both = card(links=[absolute("https://doi.org/1"), smart()])
    assert [link["type"] for link in said(both, "epic")["links"]] == ["absolute"]
    assert "links" not in said(both, "oracle")
    assert [link["type"] for link in said(both, "standard")["links"]] == ["absolute", "smart"]
    assert [link["url"] for link in said(both, "oracle", ("https://doi.org/",))["links"]] == ["https://doi.org/1"]


@pytest.mark.requirement("J-13", "X-3")
def test_only_the_sandbox_may_double_the_slash_in_the_audience() -> None:
    url = "https://cds.example/cds-services/myositis-patient-view"
    assert DIALECTS["standard"].audiences(url) == (url, f"{url}/")
    doubled = "https://cds.example/cds-services//myositis-patient-view"
    assert set(DIALECTS["sandbox"].audiences(url)) == {url, f"{url}/", doubled, f"{doubled}/"}
    assert DIALECTS["sandbox"].accepts_double_slash
    assert not any(dialect.accepts_double_slash for name, dialect in DIALECTS.items() if name != "sandbox")


EXAMPLES: dict[str, Callable[[], None]] = {
    "selection_behavior": test_in_cds_hooks_1_0_one_suggestion_of_several_is_taken,
    "left_out": test_members_that_the_reader_does_not_know_are_left_out,
    "action_types": test_an_action_of_a_kind_that_the_reader_does_not_apply_is_not_suggested,
    "most_actions": test_a_suggestion_with_more_actions_than_the_reader_takes_is_left_out,
    "delete_member": test_a_removal_names_its_draft_where_the_reader_looks_for_it,
    "code_systems": test_an_order_without_a_code_that_the_reader_knows_is_not_suggested,
    "system_spellings": test_code_systems_are_spelt_as_the_reader_spells_them,
    "label_is_description": test_the_label_stands_in_the_action_where_only_that_is_shown,
    "plain_topic_codes": test_topic_codes_are_letters_and_digits_where_the_reader_needs_that,
    "links_to_register": test_links_that_the_reader_would_drop_are_not_sent,
    "audience_variants": test_only_the_sandbox_may_double_the_slash_in_the_audience,
}


@pytest.mark.parametrize("switch", SWITCHES)
def test_every_switch_has_a_test_that_shows_its_requirements(switch: str) -> None:
    (mark,) = EXAMPLES[switch].pytestmark  # type: ignore[attr-defined]
    assert set(mark.args) == set(SWITCHES[switch].requirements)


def test_every_switch_is_set_apart_by_some_dialect() -> None:
    assert {name for dialect in DIALECTS.values() for name in dialect.set_apart} == set(SWITCHES)
    assert DIALECTS["standard"].set_apart == {}


# --- what no button does ----------------------------------------------------------------------------------------------------

BY_HAND = "**To be written by hand**"


@pytest.mark.requirement("C-12")
def test_in_cds_hooks_1_0_a_removal_cannot_be_missed_by_taking_what_goes_instead() -> None:
    """Whoever took "instead" would sign the drug that is to be removed."""
    both = card(delete("Remove the draft of methotrexate"), create("Draft ciclosporin instead"), create("Order a test"))
    old = said(both, "1.0")
    assert labels(old) == ["Remove the draft of methotrexate"]
    assert old["detail"] == f"{both['detail']}\n\n{BY_HAND}\n\n- Draft ciclosporin instead\n- Order a test"
    assert labels(said(both, "standard")) == labels(both)


@pytest.mark.requirement("C-12")
def test_in_cds_hooks_1_0_two_removals_are_both_offered() -> None:
    assert labels(said(card(delete("a"), delete("b"), create("c")), "1.0")) == ["a", "b"]


@pytest.mark.requirement("C-12")
def test_where_one_of_several_can_be_taken_the_text_says_that_the_rest_is_written_by_hand() -> None:
    """Folic acid goes with methotrexate, and there is one click for both."""
    together = said(card(create("Draft methotrexate"), create("Draft folic acid")), "1.0")
    assert labels(together) == ["Draft methotrexate", "Draft folic acid"]
    assert together["detail"].endswith(f"{BY_HAND}\n\n- What else is needed of the suggestions, of which one can be taken here")
    assert BY_HAND not in said(card(create("Draft methotrexate")), "1.0")["detail"]


@pytest.mark.requirement("C-30", "C-32")
def test_in_epic_the_drug_that_is_left_is_not_taken_for_the_whole_list() -> None:
    note = update("Add a note to the draft")
    note["actions"][0]["description"] = "Add to the draft of methotrexate: once a week <b>"
    some = said(card(create("Order a test", SNOMED, "ServiceRequest"), note, create("Draft folic acid")), "epic")
    assert labels(some) == ["Draft folic acid"]
    assert some["detail"].endswith(f"{BY_HAND}\n\n- Order a test\n- Add to the draft of methotrexate: once a week \\<b\\>")
    assert BY_HAND not in said(card(create("Draft folic acid")), "epic")["detail"]


# --- the table --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda table: table["dialects"]["epic"]["sets"].update(colour="red"), "epic: there is no switch colour"),
        (lambda table: table["dialects"]["epic"]["sets"].update(action_types="create"), r"epic\.action_types: must be a list"),
        (lambda table: table["dialects"]["epic"]["sets"].update(action_types=["merge"]), r"epic\.action_types: may only name"),
        (lambda table: table["dialects"]["1.0"]["sets"].update(left_out=[]), "C-22"),
        (lambda table: table["switches"]["left_out"].pop("requirements"), r"left_out: requirements is missing"),
        (lambda table: table["switches"].pop("left_out"), "switches must be exactly"),
    ],
)
def test_a_table_that_cannot_be_used_says_where(tmp_path: Path, change: Callable[[Json], None], complaint: str) -> None:
    table = yaml.safe_load(TABLE.read_text("utf-8"))
    change(table)
    path = tmp_path / "dialects.yaml"
    path.write_text(yaml.safe_dump(table), "utf-8")
    with pytest.raises(DialectError, match=complaint):
        load_dialects(path)


# --- links ------------------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("CARD-07", "C-43")
@pytest.mark.parametrize(
    ("beginning", "url", "expected"),
    [
        ("https://doi.org", "https://doi.org/10.1/a", True),
        ("https://doi.org/", "https://doi.org/10.1/a", True),
        ("https://app.example/launch", "https://app.example/launch?x=1", True),
        ("https://app.example/launch", "https://app.example/launch", True),
        ("https://app.example/launch", "https://app.example/launcher", False),
        ("https://doi.org", "https://doi.org.evil.example/", False),
        ("https://doi.org", "https://doi.org@evil.example/", False),
        ("https://doi.org", "http://doi.org/", False),
    ],
)
def test_a_registered_beginning_ends_where_a_part_of_the_url_ends(beginning: str, url: str, expected: bool) -> None:
    assert is_registered(url, [beginning]) is expected


@pytest.mark.requirement("C-43", "CARD-07")
def test_where_links_are_left_out_the_text_still_names_the_sources() -> None:
    for _, cards in answers():
        for before, after in zip(cards, in_dialect(cards, Client("here", links=())), strict=True):
            assert "links" not in after
            assert "url" not in after["source"]
            assert after["source"]["label"] == before["source"]["label"]
            assert "**Sources**" in after["detail"]


# --- every card in every dialect --------------------------------------------------------------------------------------------

ALWAYS = ("summary", "indicator")
"""What no dialect changes; the text may only grow."""

METHOTREXATE = {"coding": [{"system": RXNORM, "code": "105585"}], "text": "methotrexate"}


def drafts(slug: str) -> Json:
    """Methotrexate, daily: with some of the patients it is to be removed, with others noted on."""
    order = {
        "resourceType": "MedicationRequest",
        "id": "draft",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": f"Patient/{slug}"},
        "medicationCodeableConcept": METHOTREXATE,
    }
    return {"resourceType": "Bundle", "entry": [{"resource": order}]}


@cache
def answers() -> tuple[tuple[str, tuple[Json, ...]], ...]:
    """The cards of every synthetic patient at every hook, by patient and hook."""
    found = []
    for slug in slugs():
        for hook, orders in (
            ("patient-view", None),
            ("order-select", Drafts(drafts(slug), ("MedicationRequest/draft",))),
            ("order-sign", Drafts(drafts(slug))),
        ):
            made = evaluate([chart(slug)], as_of=AS_OF, seed=INSTANCE, patient_id=slug, drafts=orders)
            found.append((f"{slug} at {hook}", made.cards))
    return tuple(found)


@pytest.mark.requirement("C-1", "C-4", "C-6", "C-7", "C-12", "C-23", "G-2", "G-3", "V-1")
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("links", [None, (), ("https://doi.org/",)], ids=["any link", "no link", "some links"])
def test_every_card_keeps_the_rules_of_an_answer_in_every_dialect(dialect: str, links: tuple[str, ...] | None) -> None:
    kinds: set[str] = set()
    for name, cards in answers():
        original = [copied(card) for card in cards]
        after = in_dialect(cards, Client("here", dialect=dialect, links=links))
        assert list(cards) == original, name
        check_schema("response-1.0" if dialect == "1.0" else "response", {"cards": after})
        assert list(empty_members(after)) in ([], [""]), name
        for before, one in zip(cards, after, strict=True):
            assert one["detail"].startswith(before["detail"]), name
            assert [one[member] for member in ALWAYS] == [before[member] for member in ALWAYS], name
            assert one["source"]["label"] == before["source"]["label"], name
            expected = DIALECTS[dialect].selection_behavior if "suggestions" in one else None
            assert one.get("selectionBehavior") == expected, name
        kinds |= {action["type"] for one in after for s in one.get("suggestions", ()) for action in s["actions"]}
    assert kinds == set(DIALECTS[dialect].action_types)  # the law was tried on actions of every kind


@dataclass(frozen=True, slots=True, eq=False)
class OfDialect(Gate):
    """Takes every caller for an EHR of one dialect: who may call is tested with the real gate, in the room of trust."""

    dialect: str = "standard"

    def admit(self, request: Request, audiences: Sequence[str]) -> Caller:
        return Caller(Client("here", dialect=self.dialect))


def signed(dialect: str, slug: str) -> Json:
    """What an EHR of a dialect is answered when methotrexate is signed: the card about it."""
    runtime = replace(open_runtime(CONFIG), gate=OfDialect(dialect=dialect))
    call = order_call("order-sign", slug, prefetch_of(chart(slug)), drafts(slug))
    app = create_app(CONFIG, runtime=runtime)
    app.test_client_class = FlaskClient  # unchecked: the schema is that of 2.0.1
    response = app.test_client().post("/cds-services/myositis-order-sign", json=call)
    assert response.status_code == 200
    first: Json = response.get_json()["cards"][0]
    return first


@pytest.mark.requirement("C-12", "C-33")
def test_in_pregnancy_an_ehr_of_1_0_is_offered_the_removal_of_methotrexate_and_nothing_that_excludes_it() -> None:
    by_hand = "- Draft ciclosporin instead, dose left to you\n- Draft intravenous immunoglobulin instead, dose left to you"
    critical = signed("1.0", "dermatomyositis-pregnant")
    assert (critical["indicator"], labels(critical)) == ("critical", ["Remove the draft of methotrexate"])
    assert critical["detail"].endswith(f"{BY_HAND}\n\n{by_hand}")


@pytest.mark.requirement("C-30", "C-32")
def test_beside_the_one_drug_that_epic_can_draft_the_tests_and_the_note_are_named() -> None:
    reminded = signed("epic", "anti-tif1-gamma-dermatomyositis")
    assert labels(reminded) == ["Draft folic acid, dose left to you"]
    _, _, by_hand = reminded["detail"].partition(BY_HAND)
    assert "Add to the draft of methotrexate: Once weekly" in by_hand
    assert {"- Order blood count", "- Order liver tests", "- Order chest X-ray"} <= set(by_hand.splitlines())


@pytest.mark.requirement("C-12", "C-30", "C-32")
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_suggestion_that_is_left_out_is_named_in_the_text_in_every_dialect(dialect: str) -> None:
    for name, cards in answers():
        for before, after in zip(cards, in_dialect(cards, Client("here", dialect=dialect)), strict=True):
            added = after["detail"].removeprefix(before["detail"])
            kinds = {one["label"]: one["actions"][0]["type"] for one in before.get("suggestions", ())}
            for label in kinds.keys() - set(labels(after)):
                assert escape(label.removeprefix("Add a note to the ")) in added, name
            left_out = len(kinds) != len(labels(after))
            asks_for_one = DIALECTS[dialect].takes_one and len(labels(after)) > 1
            assert bool(added) == (left_out or asks_for_one), name


@pytest.mark.requirement("C-12")
def test_where_one_suggestion_is_taken_none_stands_beside_a_removal() -> None:
    removals = 0
    for name, cards in answers():
        for after in in_dialect(cards, Client("here", dialect="1.0")):
            types = {action["type"] for one in after.get("suggestions", ()) for action in one["actions"]}
            assert "delete" not in types or types == {"delete"}, name
            removals += "delete" in types
    assert removals


@pytest.mark.requirement("C-12")
def test_the_open_client_is_answered_in_the_standard() -> None:
    for _, cards in answers():
        assert in_dialect(cards, Client("open")) == list(cards)

"""One visit, one reader: what they were shown when the chart was opened is known at the next hook, and nobody else's visit is."""

from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, insert, select

from cards.told import Told
from server.cds_hooks.envelope import HookCall
from server.cds_hooks.services import SERVICES
from server.feedback.patients import pseudonym_of
from server.feedback.visits import MOST_CARDS, told_in, visit_of
from server.store.pseudonyms import Pseudonyms, load_pseudonyms
from server.store.tables import cards_shown
from server.trust.clients import Caller, Client
from tests.server.feedback.conftest import CLIENTS, Ehr, topic_of

SIGN = SERVICES["myositis-order-sign"]
CALL = HookCall("1", "p1", {}, user="Practitioner/1", encounter="visit-7", fhir_server="https://ehr.example/fhir")
OPENED = replace(CALL, fhir_server=None)
CALLER = Caller(Client("hospital"), "north")
KEYS = Pseudonyms(b"k" * 32)
IN_VISIT = {"context": {"userId": "Practitioner/1", "patientId": "p1", "encounterId": "visit-7"}}


def visit(call: HookCall = CALL, caller: Caller = CALLER, keys: Pseudonyms = KEYS) -> str | None:
    found = visit_of(call, caller, pseudonym_of(call, caller, keys), keys)
    return found and found.id


def told(database: Engine, call: HookCall = OPENED, name: str = "hospital", service: str = SIGN.id) -> Told:
    """What is known at the next hook; marks of nobody else's visit are among it."""
    caller = Caller(CLIENTS.get(name, Client(name)))
    keys = load_pseudonyms(database, None)
    patient = pseudonym_of(call, caller, keys)
    found = told_in(visit_of(call, caller, patient, keys), database, caller, SERVICES[service], patient)
    assert found is not None
    return found


@pytest.mark.requirement("SAF-21")
def test_a_visit_is_of_one_client_tenant_server_patient_reader_and_encounter() -> None:
    others = [
        visit(replace(CALL, encounter="visit-8")),
        visit(replace(CALL, user="Practitioner/2")),
        visit(replace(CALL, patient_id="p2")),
        visit(replace(CALL, fhir_server="https://other.example/fhir")),
        visit(caller=Caller(Client("hospital"), "south")),
        visit(caller=Caller(Client("elsewhere"), "north")),
        visit(keys=Pseudonyms(b"x" * 32)),
        visit(replace(CALL, user='Practitioner/1", "visit-7', encounter="")),
    ]
    assert visit() == visit(replace(CALL, instance="2"))
    assert len({visit(), *others}) == len(others) + 1
    assert "visit-7" not in str(visit_of(CALL, CALLER, "patient", KEYS))


def test_without_an_encounter_or_a_reader_nothing_is_guessed(ehr: Ehr, database: Engine) -> None:
    assert visit(replace(CALL, encounter=None)) is visit(replace(CALL, user=None)) is None
    ehr.open_chart()
    with database.connect() as connection:
        assert {(row.encounter, row.marks) for row in connection.execute(select(cards_shown))} == {(None, None)}


@pytest.mark.requirement("SAF-21")
def test_what_was_shown_when_the_chart_was_opened_is_known_when_an_order_is_signed(ehr: Ehr, database: Engine) -> None:
    cards = ehr.open_chart(**IN_VISIT)
    on_cards = {name for card in cards for name in card["extension"]["org.myositis-cds.explanation"]["recommendations"]}
    assert len(told(database).marks) == len(on_cards) > 0
    assert not told(database, replace(OPENED, user="Practitioner/2")).marks
    assert not told(database, replace(OPENED, encounter="visit-8")).marks
    assert not told(database, name="elsewhere").marks


def test_of_a_visit_without_end_the_newest_cards_are_looked_at(ehr: Ehr, database: Engine) -> None:
    ehr.open_chart(**IN_VISIT)
    with database.begin() as connection:
        row = dict(connection.execute(select(cards_shown)).mappings().first() or {})
        newer = [{**row, "card": str(uuid4()), "shown_at": row["shown_at"] + 1, "marks": ["newer"]} for _ in range(MOST_CARDS)]
        connection.execute(insert(cards_shown), newer[1:])
    assert {"newer"} < told(database).marks
    with database.begin() as connection:
        connection.execute(insert(cards_shown), newer[:1])
    assert told(database).marks == {"newer"}


def test_opening_the_chart_again_shows_everything_again(ehr: Ehr, database: Engine) -> None:
    assert [topic_of(card) for card in ehr.open_chart(**IN_VISIT)] == [topic_of(card) for card in ehr.open_chart(**IN_VISIT)]
    caller, view = Caller(Client("hospital")), SERVICES["myositis-patient-view"]
    assert told_in(visit_of(CALL, caller, "p", KEYS), database, caller, view, "p") is None


def test_nobody_has_been_told_what_a_client_in_shadow_mode_was_not_shown(
    ehr_of: Callable[..., Ehr], database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the day that a hospital goes live, its visits begin anew."""
    ehr_of("in-shadow").open_chart(**IN_VISIT)
    assert told(database, name="in-shadow").marks
    monkeypatch.setitem(CLIENTS, "in-shadow", Client("in-shadow"))
    assert not told(database, name="in-shadow").marks


def test_where_the_database_cannot_tell_everything_is_said() -> None:
    nowhere = create_engine("sqlite:////nowhere/at/all.sqlite3")
    patient = pseudonym_of(CALL, CALLER, KEYS)
    assert told_in(visit_of(CALL, CALLER, patient, KEYS), nowhere, CALLER, SIGN, patient) is None


@pytest.mark.requirement("SAF-21")
@pytest.mark.parametrize(
    ("slug", "drug", "topic"),
    [
        ("dermatomyositis-pregnant", "methotrexate", "drugSafety"),
        ("inclusion-body-myositis-on-prednisone", "azathioprine", "supportiveCare"),
    ],
)
def test_what_speaks_against_a_draft_is_said_in_the_same_visit_of_every_draft(ehr: Ehr, slug: str, drug: str, topic: str) -> None:
    ehr.open_chart(slug=slug, hookInstance=str(uuid4()), **IN_VISIT)
    for _ in range(2):
        assert topic in map(topic_of, ehr.sign(drug, slug, encounterId="visit-7"))

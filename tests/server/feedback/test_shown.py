"""Cards are remembered by what they said, once each, and with nothing about the patient."""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import Engine, select

from server.store.tables import cards_shown
from tests.server.charts import HEALTHY, INSTANCE
from tests.server.feedback.conftest import Ehr, topic_of

EXPLANATION = "org.myositis-cds.explanation"


def test_each_card_is_remembered_with_what_it_said(ehr: Ehr, database: Engine) -> None:
    cards = ehr.open_chart("Erika-Mustermann")
    with database.connect() as connection:
        rows = {row.card: row for row in connection.execute(select(cards_shown))}
    assert rows.keys() == {card["uuid"] for card in cards}
    for card in cards:
        row = rows[card["uuid"]]
        assert (row.client, row.service) == ("hospital", "myositis-patient-view")
        assert (row.topic, row.indicator) == (topic_of(card), card["indicator"])
        assert row.recommendations == card["extension"][EXPLANATION]["recommendations"]
        assert row.knowledge_version == card["extension"][EXPLANATION]["knowledgeVersion"]
    assert "Mustermann" not in str(rows)
    assert len({row.patient for row in rows.values()}) == 1


@pytest.mark.requirement("C-3", "C-13", "C-21")
def test_every_card_and_suggestion_can_be_answered(ehr: Ehr) -> None:
    """Without a uuid Epic and the sandbox send nothing; without reasons nobody can say why."""
    cards = ehr.open_chart()
    named = [*cards, *(suggestion for card in cards for suggestion in card.get("suggestions", ()))]
    assert len({UUID(one["uuid"]) for one in named}) == len(named) > len(cards)
    assert all(set(reason) == {"system", "code", "display"} for card in cards for reason in card["overrideReasons"])
    assert all(card["overrideReasons"] for card in cards)


def test_the_same_hook_instance_again_is_the_same_cards(ehr: Ehr, database: Engine) -> None:
    cards = [ehr.open_chart(hookInstance=INSTANCE) for _ in range(3)].pop()
    with database.connect() as connection:
        assert len(connection.execute(select(cards_shown)).all()) == len(cards)


def test_where_there_are_no_cards_nothing_is_written(ehr: Ehr, database: Engine) -> None:
    assert ehr.open_chart(HEALTHY, slug=HEALTHY) == []
    with database.connect() as connection:
        assert connection.execute(select(cards_shown)).all() == []


@pytest.mark.requirement("FB-03")
def test_the_same_id_at_another_ehr_tenant_or_fhir_server_is_another_patient(
    ehr_of: Callable[..., Ehr], database: Engine
) -> None:
    ehr_of().open_chart()
    ehr_of().open_chart(fhirServer="https://second.example/fhir")
    ehr_of().open_chart(fhirServer="https://second.example/fhir/")
    ehr_of(tenant="second").open_chart()
    ehr_of("elsewhere").open_chart()
    with database.connect() as connection:
        assert len(set(connection.scalars(select(cards_shown.c.patient)))) == 4
